//! How an authorization request goes on, whichever page was last: to the login, to the consent, or back to the client with a code.

use axum::response::Response;
use durward_base::{FamilyId, TokenId};
use durward_model::resource::Trust;
use durward_model::write::Spent;
use durward_model::{Consent, Write};
use durward_oauth::authorize::{AuthorizationRequest, AuthorizationResponse, Implicit, Issuance, IssueFacts, Refusal, issue};
use durward_oauth::{Grant, OAuthError, Registry as _, mint, par};
use durward_store::{CommitError, StoreError};
use http::{HeaderValue, StatusCode};

use crate::answer;
use crate::call::Call;
use crate::client_keys;
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
    let ids = (FamilyId::new(call.now, call.issuer.rng()), TokenId::new(call.now, call.issuer.rng()));
    match issue(request, &call.realm, facts, ids, call.now) {
        Issuance::Issue { code, writes, event } => {
            call.recorder.edit(|record| event.fill(record));
            if let Some(refused) = commit(call, request, before.into_iter().chain(writes).collect()).await? {
                return Ok(refused);
            }
            let Ok(code) = code.seal(&call.issuer.states, call.realm.id(), call.issuer.rng()) else { return Ok(answer::unavailable(call)) };
            Ok(answer::respond(call, request.success(&code), &client_title(call, &request.client_id), signed_on))
        }
        Issuance::Tokens { implicit, grant, writes, event } => {
            call.recorder.edit(|record| event.fill(record));
            let writes = before.into_iter().chain(writes).collect();
            Ok(match at_once(call, request, (implicit, &grant), writes).await? {
                Ok(response) => answer::respond(call, response, &client_title(call, &request.client_id), signed_on),
                Err(refused) => refused,
            })
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

/// Commits and mints what a client gets at once that has not moved on yet; or the answer why not.
async fn at_once(
    call: &Call,
    request: &AuthorizationRequest,
    (implicit, grant): (Implicit, &Grant),
    writes: Vec<Write>,
) -> Result<Result<AuthorizationResponse, Response>, CommitError> {
    let (client, realm) = (request.client_id.as_str(), call.realm.name());
    tracing::warn!(client, realm, "{}: tokens travel through browsers; move the client to authorization_code", Implicit::REASON);
    if let Some(client) = call.realm.client(client) {
        client_keys::read(call, client.metadata, None).await;
    }
    let refuse = |error: OAuthError| {
        call.refused(error.reason);
        answer::error_redirect(call, &request.failure(error), &client_title(call, client), None)
    };
    let keys = match call.keys().and_then(|keys| grant.mintable(&keys).map(|()| keys)) {
        Ok(keys) => keys,
        Err(error) => return Ok(Err(refuse(error))),
    };
    if let Some(refused) = commit(call, request, writes).await? {
        return Ok(Err(refused));
    }
    Ok(mint(grant, &keys, &call.issuer.handles).map(|minted| request.tokens(implicit, &minted)).map_err(refuse))
}

/// Commits what is issued; the answer when it is a pushed request that was used up meanwhile.
async fn commit(call: &Call, request: &AuthorizationRequest, writes: Vec<Write>) -> Result<Option<Response>, CommitError> {
    match call.commit(&writes, answer::response_status(request.mode.is_form())).await {
        Err(CommitError::Conflict { write_index }) if is_pushed(writes.get(write_index)) => {
            Ok(Some(answer::refusal(call, &Refusal::Page(par::REPLAYED), &client_title(call, &request.client_id))))
        }
        committed => committed.map(|()| None),
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
