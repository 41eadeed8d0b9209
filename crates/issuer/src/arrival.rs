//! What a login was for: how it goes on once the person has proved who they are.

use axum::response::Response;
use durward_model::Write;
use durward_oauth::Registry as _;
use durward_oauth::authorize::{AuthorizationRequest, IssueFacts, Next, Progress, next};
use durward_store::{CommitError, StoreError};
use http::{HeaderValue, StatusCode};

use crate::answer;
use crate::authorization::{self, client_title};
use crate::call::Call;
use crate::http::login::totp;
use crate::second_factor;
use crate::sso::{LiveLogin, SignOn};
use crate::transaction::Destination;

/// Goes on to where the person wanted to go, in one transaction with `opening`: what opens or raises the login.
///
/// # Errors
/// When the transaction was not committed.
pub(crate) async fn arrive(
    call: &Call,
    destination: &Destination,
    login: &LiveLogin,
    opening: Vec<Write>,
) -> Result<Response, CommitError> {
    login.record(call);
    let cookie = SignOn::cookie(call, &login.session);
    let place = match destination {
        Destination::Application(request) => return go_on(call, request, login, (opening, cookie)).await,
        Destination::Account => "account".to_owned(),
        Destination::TwoFactor => "account/totp".to_owned(),
        Destination::Requests => "account/requests".to_owned(),
        Destination::Tokens => "account/tokens".to_owned(),
        Destination::Device(code) => {
            let query = code.as_ref().map(|code| format!("?user_code={code}")).unwrap_or_default();
            format!("device{query}")
        }
    };
    open(call, &opening).await?;
    Ok(answer::see_other(&format!("{}/{place}", call.realm.issuer()), cookie))
}

async fn go_on(
    call: &Call,
    request: &AuthorizationRequest,
    login: &LiveLogin,
    (opening, cookie): (Vec<Write>, Option<HeaderValue>),
) -> Result<Response, CommitError> {
    let Ok((consent, strongest)) = facts(call, request, login).await else { return Ok(answer::unavailable(call)) };
    let progress = Progress { login: Some(login.as_login(true, strongest)), consent: consent.as_ref(), consented: false };
    match next(request, &call.realm, progress, call.now) {
        Ok(Next::Issue) => {
            let facts = IssueFacts { person: &login.person, session: &login.session, consent: consent.as_ref(), consented: false };
            authorization::complete(call, request, facts, opening, cookie).await
        }
        Ok(Next::Consent) => {
            open(call, &opening).await?;
            Ok(authorization::to_consent(call, request.clone(), login, cookie))
        }
        Ok(Next::StepUp) => {
            open(call, &opening).await?;
            Ok(totp::step_up(call, Destination::Application(Box::new(request.clone())), login, cookie).await)
        }
        Ok(Next::Login) => Ok(authorization::to_login(call, Destination::Application(Box::new(request.clone())))),
        Err(error) => {
            call.refused(error.reason);
            let redirect = request.failure(error);
            Ok(answer::error_redirect(call, &redirect, &client_title(call, &request.client_id), None))
        }
    }
}

/// What the rules ask about the person.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn facts(
    call: &Call,
    request: &AuthorizationRequest,
    login: &LiveLogin,
) -> Result<(Option<durward_model::Consent>, durward_oauth::acr::Level), StoreError> {
    Ok((
        authorization::consent(call, request, login).await?,
        second_factor::strongest(call, login, request.acr.map(|wanted| wanted.level)).await?,
    ))
}

async fn open(call: &Call, opening: &[Write]) -> Result<(), CommitError> {
    if opening.is_empty() { Ok(()) } else { call.commit(opening, StatusCode::SEE_OTHER).await }
}
