//! How an authorization request goes on, whichever page was last: to the login, to the consent, or back to the client with a code.

use axum::response::Response;
use durward_base::FamilyId;
use durward_model::resource::Trust;
use durward_model::write::Spent;
use durward_model::{Consent, Write};
use durward_oauth::authorize::{AuthorizationRequest, Issuance, IssueFacts, Refusal, issue};
use durward_oauth::{Registry as _, par};
use durward_store::{CommitError, StoreError};
use http::{HeaderValue, StatusCode};

use crate::answer;
use crate::call::Call;
use crate::sso::LiveLogin;
use crate::transaction::{self, Browser, Consenting, Destination, LoggingIn};

/// How often a decision is made anew when somebody else was faster.
pub(crate) const ATTEMPTS: usize = 3;

/// The title of the request's client.
pub(crate) fn client_title(call: &Call, client_id: &str) -> String {
    let title = call.realm.client(client_id).and_then(|client| client.metadata.title.clone());
    title.unwrap_or_else(|| client_id.to_owned())
}

/// Whether the request's client is somebody else's.
pub(crate) fn is_third_party(call: &Call, request: &AuthorizationRequest) -> bool {
    call.realm.client(&request.client_id).is_none_or(|client| client.metadata.trust == Trust::ThirdParty)
}

/// What the person allowed the client before.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn consent(call: &Call, request: &AuthorizationRequest, login: &LiveLogin) -> Result<Option<Consent>, StoreError> {
    call.issuer.store().consent(call.realm.name(), login.person.id, request.client(), &request.audience).await
}

/// To the login page.
pub(crate) fn to_login(call: &Call, destination: Destination) -> Response {
    let browser = Browser::of(call);
    let sealed = transaction::seal(call, &LoggingIn { browser: browser.value, destination });
    to_page(call, "login", sealed, browser.cookie)
}

/// To the consent page.
pub(crate) fn to_consent(call: &Call, request: AuthorizationRequest, login: &LiveLogin, signed_on: Option<HeaderValue>) -> Response {
    let browser = Browser::of(call);
    let sealed = transaction::seal(call, &Consenting::new(call, &browser, login.session.id, request));
    to_page(call, "consent", sealed, browser.cookie.into_iter().chain(signed_on))
}

/// Issues the code, in one transaction with `before`; the browser goes back to the client.
///
/// # Errors
/// When the transaction was not committed.
pub(crate) async fn complete(
    call: &Call,
    request: &AuthorizationRequest,
    facts: IssueFacts<'_>,
    before: Vec<Write>,
    signed_on: Option<HeaderValue>,
) -> Result<Response, CommitError> {
    let family = FamilyId::new(call.now, call.issuer.rng());
    match issue(request, &call.realm, facts, family, call.now) {
        Issuance::Issue { code, writes, event } => {
            call.recorder.edit(|record| event.fill(record));
            let writes: Vec<Write> = before.into_iter().chain(writes).collect();
            match call.commit(&writes, answer::response_status(request.mode.is_form())).await {
                Err(CommitError::Conflict { write_index }) if is_pushed(writes.get(write_index)) => {
                    return Ok(answer::refusal(call, &Refusal::Page(par::REPLAYED), &client_title(call, &request.client_id)));
                }
                committed => committed?,
            }
            let Ok(code) = code.seal(&call.issuer.states, call.realm.id(), call.issuer.rng()) else { return Ok(answer::unavailable(call)) };
            Ok(answer::respond(call, request.success(&code), &client_title(call, &request.client_id), signed_on))
        }
        Issuance::Deny { redirect, event } => {
            call.recorder.edit(|record| event.fill(record));
            if !before.is_empty() {
                call.commit(&before, answer::response_status(request.mode.is_form())).await?;
            }
            Ok(answer::error_redirect(call, &redirect, &client_title(call, &request.client_id), signed_on))
        }
    }
}

/// Whether it is a pushed request that was used up meanwhile.
fn is_pushed(write: Option<&Write>) -> bool {
    matches!(write, Some(Write::Spend { what: Spent::PushedRequest, .. }))
}

/// To a page of the realm that a sealed step is for.
pub(crate) fn to_page(
    call: &Call,
    page: &str,
    sealed: Result<String, durward_seal::StateError>,
    cookies: impl IntoIterator<Item = HeaderValue>,
) -> Response {
    match sealed {
        Ok(sealed) => answer::see_other(&format!("{}/{page}?transaction={sealed}", call.realm.issuer()), cookies),
        Err(_) => answer::failure(
            call,
            StatusCode::BAD_REQUEST,
            "request.too_large",
            ("This sign-in cannot begin", "The application asked for more than fits into one request. Tell the people who run it."),
        ),
    }
}
