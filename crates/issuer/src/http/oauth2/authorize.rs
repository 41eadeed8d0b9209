//! `/oauth2/authorize`: RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.

use axum::response::Response;
use durward_model::Write;
use durward_oauth::acr::Level;
use durward_oauth::authorize::{AuthorizationRequest, IssueFacts, Next, Progress, Refusal, next};
use durward_oauth::{OAuthError, Parameters, Registry as _, par};
use durward_store::{CommitError, StoreError};

use crate::authorization::{self, ATTEMPTS, client_title};
use crate::call::Call;
use crate::client_documents;
use crate::client_keys;
use crate::http::login::totp;
use crate::sso::LiveLogin;
use crate::transaction::Destination;
use crate::{answer, arrival};

/// `GET /realms/{realm}/oauth2/authorize`
pub async fn get(call: Call) -> Response {
    match Parameters::parse(&[call.query.as_bytes()]) {
        Ok(parameters) => authorize(&call, &parameters).await,
        Err(error) => answer::refusal(&call, &Refusal::Page(error), ""),
    }
}

/// `POST /realms/{realm}/oauth2/authorize`: OpenID Connect Core 3.1.2.1: "Authorization Servers MUST support the use of the HTTP GET and POST
/// methods".
pub async fn post(call: Call) -> Response {
    match call.query_and_form() {
        Ok(parameters) => authorize(&call, &parameters).await,
        Err(error) => answer::unreadable(&call, error),
    }
}

async fn authorize(call: &Call, parameters: &Parameters) -> Response {
    if call.clock_jumped() {
        return answer::clock_jumped(call);
    }
    let request = match read(call, parameters).await {
        Ok(Ok(request)) => request,
        Err(_) => return answer::unavailable(call),
        Ok(Err(refusal)) => return answer::refusal(call, &refusal, &client_title(call, parameters.get("client_id").unwrap_or_default())),
    };
    for _ in 0..ATTEMPTS {
        match go_on(call, &request).await {
            Ok(Some(response)) => return response,
            Ok(None) => {}
            Err(_) => break,
        }
    }
    answer::unavailable(call)
}

/// The request: one that was pushed and not used yet, or one that came along.
async fn read(call: &Call, parameters: &Parameters) -> Result<Result<AuthorizationRequest, Refusal>, StoreError> {
    client_documents::read_named(call, parameters).await;
    let Some(reference) = par::reference(parameters) else {
        if let Some(client) = parameters.get("client_id").and_then(|name| call.realm.client(name)) {
            client_keys::read_for_request(call, client.metadata, parameters).await;
        }
        return Ok(AuthorizationRequest::read(parameters, &call.realm, call.now));
    };
    let request = match par::open(reference, parameters, &call.realm, &call.issuer.states, call.now) {
        Ok(request) => request,
        Err(error) => return Ok(Err(Refusal::Page(error))),
    };
    // The guard of the write decides; this spares people a login that would come to nothing.
    match par::spend(&request, call.realm.name(), call.now) {
        Some(Write::Spend { realm, what, id, .. }) if call.issuer.store().is_spent(&realm, what, id).await? => {
            Ok(Err(Refusal::Page(par::REPLAYED)))
        }
        _ => Ok(Ok(request)),
    }
}

/// The next step; none when somebody else was faster and it must be decided again.
async fn go_on(call: &Call, request: &AuthorizationRequest) -> Result<Option<Response>, StoreError> {
    let login = LiveLogin::of_browser(call).await?;
    let (consent, strongest) = match &login {
        Some(login) => arrival::facts(call, request, login).await?,
        None => (None, Level::Password),
    };
    let had = login.as_ref().map(|login| login.as_login(false, strongest));
    let progress = Progress { login: had, consent: consent.as_ref(), consented: false };
    Ok(match (next(request, &call.realm, progress, call.now), &login) {
        (Err(error), _) => Some(refuse(call, request, error, consent.is_some())),
        (Ok(Next::StepUp), Some(login)) => {
            Some(totp::step_up(call, Destination::Application(Box::new(request.clone())), login, None).await)
        }
        (Ok(Next::Consent), Some(login)) => Some(authorization::to_consent(call, request.clone(), login, None)),
        (Ok(Next::Issue), Some(login)) => {
            let facts = IssueFacts { person: &login.person, session: &login.session, consent: consent.as_ref(), consented: false };
            match authorization::complete(call, request, facts, Vec::new(), None).await {
                Ok(response) => Some(response),
                Err(CommitError::Conflict { .. }) => None,
                Err(CommitError::Unavailable(cause)) => return Err(StoreError::Unavailable(cause)),
            }
        }
        (Ok(_), _) => Some(authorization::to_login(call, Destination::Application(Box::new(request.clone())))),
    })
}

/// What `prompt=none` may not ask. Somebody else's client learns it at once only when the person has dealt with it before (AUTHZ-009).
fn refuse(call: &Call, request: &AuthorizationRequest, error: OAuthError, known: bool) -> Response {
    call.refused(error.reason);
    let mut redirect = request.failure(error);
    redirect.interstitial = !known && authorization::is_third_party(call, request);
    answer::error_redirect(call, &redirect, &client_title(call, &request.client_id), None)
}
