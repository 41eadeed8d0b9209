//! `/login`: where people prove who they are. One login is one transaction: the session, and the family when nothing is left to ask.

use axum::response::Response;
use durward_authn::assurance;
use durward_base::{Duration, Secret, SessionId};
use durward_model::{Person, Session, Write};
use durward_oauth::authorize::{AuthorizationRequest, IssueFacts, Next, Progress, next};
use durward_oauth::{Parameters, Registry as _};
use durward_store::CommitError;
use http::header::USER_AGENT;
use http::{HeaderValue, StatusCode};

use crate::authorization::{self, client_title};
use crate::call::Call;
use crate::page::{self, Login};
use crate::proof::{self, Unproven};
use crate::sso::{LiveLogin, SignOn};
use crate::transaction::{self, Destination, LoggingIn};
use crate::{answer, origin};

/// `GET /realms/{realm}/login`
pub async fn get(call: Call) -> Response {
    let parameters = Parameters::parse(&[call.query.as_bytes()]).ok();
    let sealed = parameters.as_ref().and_then(|parameters| parameters.get("transaction"));
    let Some((step, sealed)) = transaction::open::<LoggingIn>(&call, sealed).zip(sealed) else { return answer::stale_form(&call) };
    let hint = match &step.destination {
        Destination::Application(request) => request.login_hint.as_deref().unwrap_or_default(),
        Destination::Account | Destination::Device(_) => "",
    };
    show(&call, &step.destination, sealed, hint, None)
}

/// `POST /realms/{realm}/login`
pub async fn post(call: Call) -> Response {
    let parameters = match call.form() {
        Ok(parameters) => parameters,
        Err(error) => return answer::unreadable(&call, error),
    };
    if !origin::is_ours(&call.headers, &call.issuer.origin) {
        return answer::foreign_form(&call);
    }
    if call.clock_jumped() {
        return answer::clock_jumped(&call);
    }
    let sealed = parameters.get("transaction");
    let Some((step, sealed)) = transaction::open::<LoggingIn>(&call, sealed).zip(sealed) else { return answer::stale_form(&call) };
    let username = parameters.get("username").unwrap_or_default();
    let password = Secret::new(parameters.get("password").unwrap_or_default());
    let outcome = match proof::by_password(&call, username, password).await {
        Ok(person) => logged_in(&call, &step.destination, person).await,
        Err(unproven) => Err(unproven),
    };
    outcome.unwrap_or_else(|unproven| show(&call, &step.destination, sealed, username, Some(unproven)))
}

/// Opens the login, and goes on to where the person wanted to go. The login that this browser had before ends with it, whosever it was: what
/// hung on it is asked for anew, and nothing that was planted or seen before lives on.
async fn logged_in(call: &Call, destination: &Destination, person: Person) -> Result<Response, Unproven> {
    let login = LiveLogin { session: session(call, &person), person };
    login.record(call);
    let cookie = SignOn::cookie(call, &login.session);
    let opening = opening(call, &login.session);
    match destination {
        Destination::Application(request) => go_on(call, request, &login, (opening, cookie)).await,
        Destination::Account => {
            open(call, &opening).await?;
            Ok(answer::see_other(&format!("{}/account", call.realm.issuer()), cookie))
        }
        Destination::Device(code) => {
            open(call, &opening).await?;
            let query = code.as_ref().map(|code| format!("?user_code={code}")).unwrap_or_default();
            Ok(answer::see_other(&format!("{}/device{query}", call.realm.issuer()), cookie))
        }
    }
}

async fn go_on(
    call: &Call,
    request: &AuthorizationRequest,
    login: &LiveLogin,
    (opening, cookie): (Vec<Write>, Option<HeaderValue>),
) -> Result<Response, Unproven> {
    let consent = authorization::consent(call, request, login).await.map_err(|_| Unproven::Unavailable)?;
    let progress = Progress { login: Some(login.as_login(true)), consent: consent.as_ref(), consented: false };
    match next(request, &call.realm, progress, call.now) {
        Ok(Next::Issue) => {
            let facts = IssueFacts { person: &login.person, session: &login.session, consent: consent.as_ref(), consented: false };
            authorization::complete(call, request, facts, opening, cookie).await.map_err(not_opened)
        }
        Ok(Next::Consent) => {
            open(call, &opening).await?;
            Ok(authorization::to_consent(call, request.clone(), login, cookie))
        }
        // Whoever could step up would have been asked for it with the password.
        Ok(Next::Login | Next::StepUp) => Ok(authorization::to_login(call, Destination::Application(Box::new(request.clone())))),
        Err(error) => {
            call.refused(error.reason);
            let redirect = request.failure(error);
            Ok(answer::error_redirect(call, &redirect, &client_title(call, &request.client_id), None))
        }
    }
}

async fn open(call: &Call, opening: &[Write]) -> Result<(), Unproven> {
    call.commit(opening, StatusCode::SEE_OTHER).await.map_err(not_opened)
}

/// Ends the login that the browser had, and opens the new one.
fn opening(call: &Call, session: &Session) -> Vec<Write> {
    let had = SignOn::read(call).map(|had| {
        call.recorder.edit(|event| event.target = Some(format!("session/{}", had.session())));
        Write::EndSession { realm: call.realm.name().to_owned(), session: had.session(), at: call.now, reason: "superseded" }
    });
    had.into_iter().chain([Write::OpenSession(session.clone())]).collect()
}

fn not_opened(error: CommitError) -> Unproven {
    match error {
        // The one guard here is that the person is still enabled.
        CommitError::Conflict { .. } => Unproven::Wrong("login.person_disabled"),
        CommitError::Unavailable(_) => Unproven::Unavailable,
    }
}

/// A new login: its id is never one that the browser had before.
pub(crate) fn session(call: &Call, person: &Person) -> Session {
    let user_agent = call.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    Session {
        id: SessionId::new(call.now, call.issuer.rng()),
        realm: call.realm.name().to_owned(),
        person: person.id,
        assurance: assurance::by_password(call.now),
        created: call.now,
        expires: call.now + Duration::from_secs(call.realm.realm().session_seconds.into()),
        revoked: None,
        address: call.address().map(|address| address.to_string()),
        user_agent: user_agent.map(|text| text.chars().take(200).collect()),
    }
}

fn show(call: &Call, destination: &Destination, sealed: &str, username: &str, unproven: Option<Unproven>) -> Response {
    let (title, leads_to) = match destination {
        Destination::Application(request) => (client_title(call, &request.client_id), Some(request.redirect_uri.as_str())),
        Destination::Account => ("your account".to_owned(), None),
        Destination::Device(_) => ("connect a device".to_owned(), None),
    };
    if let Some(Unproven::Unavailable) = unproven {
        return answer::unavailable(call);
    }
    unproven.iter().for_each(|unproven| call.refused(unproven.reason()));
    let page = Login {
        frame: answer::frame(call),
        destination: &title,
        action: format!("/realms/{}/login", call.realm.name()),
        transaction: sealed,
        username,
        error: unproven.as_ref().map(Unproven::sentence),
    };
    let status = unproven.as_ref().map_or(StatusCode::OK, Unproven::status);
    let response = page::html(status, &page, leads_to);
    match unproven.and_then(|unproven| unproven.wait()) {
        Some(wait) => answer::retry_after(response, wait),
        None => response,
    }
}
