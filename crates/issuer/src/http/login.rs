//! `/login`: where people prove who they are. One login is one transaction: the session, and the family when nothing is left to ask.

pub mod totp;

use axum::response::Response;
use durward_authn::assurance;
use durward_base::{Duration, Secret, SessionId};
use durward_model::{Assurance, Person, Session, Write};
use durward_oauth::{Parameters, Registry as _};
use durward_store::CommitError;
use http::StatusCode;
use http::header::USER_AGENT;

use crate::arrival::arrive;
use crate::authorization::client_title;
use crate::call::Call;
use crate::client_documents;
use crate::page::{self, Login};
use crate::proof::{self, Unproven};
use crate::sso::{LiveLogin, SignOn};
use crate::transaction::{self, Destination, LoggingIn};
use crate::{answer, origin, second_factor};

/// `GET /realms/{realm}/login`
pub async fn get(call: Call) -> Response {
    let parameters = Parameters::parse(&[call.query.as_bytes()]).ok();
    let sealed = parameters.as_ref().and_then(|parameters| parameters.get("transaction"));
    let Some((step, sealed)) = transaction::open::<LoggingIn>(&call, sealed).zip(sealed) else { return answer::stale_form(&call) };
    client_documents::read_for(&call, &step.destination).await;
    let hint = match &step.destination {
        Destination::Application(request) => request.login_hint.as_deref().unwrap_or_default(),
        Destination::Account | Destination::TwoFactor | Destination::Requests | Destination::Tokens | Destination::Device(_) => "",
    };
    show(&call, &step.destination, sealed, hint, None)
}

/// `POST /realms/{realm}/login`
pub async fn post(call: Call) -> Response {
    let parameters = match origin::own_form(&call) {
        Ok(parameters) => parameters,
        Err(refused) => return refused.answer(&call),
    };
    if call.clock_jumped() {
        return answer::clock_jumped(&call);
    }
    let sealed = parameters.get("transaction");
    let Some((step, sealed)) = transaction::open::<LoggingIn>(&call, sealed).zip(sealed) else { return answer::stale_form(&call) };
    client_documents::read_for(&call, &step.destination).await;
    let username = parameters.get("username").unwrap_or_default();
    let password = Secret::new(parameters.get("password").unwrap_or_default());
    let outcome = match proof::by_password(&(&call).into(), username, password).await {
        Ok(person) => proved(&call, step.destination.clone(), person).await,
        Err(unproven) => Err(unproven),
    };
    outcome.unwrap_or_else(|unproven| show(&call, &step.destination, sealed, username, Some(unproven)))
}

/// Goes on to the second factor of whoever has one; for anybody else opens the login. The login that this browser had before ends with it,
/// whosever it was: what hung on it is asked for anew, and nothing that was planted or seen before lives on.
async fn proved(call: &Call, destination: Destination, person: Person) -> Result<Response, Unproven> {
    if second_factor::is_set_up(call, person.id).await.map_err(|_| Unproven::Unavailable)? {
        return Ok(totp::ask(call, destination, &person));
    }
    let session = session(call, &person, assurance::by_password(call.now));
    let opening = opening(call, &session);
    arrive(call, &destination, &LiveLogin { session, person }, opening).await.map_err(|error| match error {
        // The one guard here is that the person is still enabled.
        CommitError::Conflict { .. } => Unproven::Wrong("login.person_disabled"),
        CommitError::Unavailable(_) => Unproven::Unavailable,
    })
}

/// Ends the login that the browser had, and opens the new one.
pub(crate) fn opening(call: &Call, session: &Session) -> Vec<Write> {
    let had = SignOn::read(call).map(|had| {
        call.recorder.edit(|event| event.target = Some(format!("session/{}", had.session())));
        Write::EndSession { realm: call.realm.name().to_owned(), session: had.session(), at: call.now, reason: "superseded" }
    });
    had.into_iter().chain([Write::OpenSession(session.clone())]).collect()
}

/// A new login: its id is never one that the browser had before.
pub(crate) fn session(call: &Call, person: &Person, assurance: Assurance) -> Session {
    let user_agent = call.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    Session {
        id: SessionId::new(call.now, call.issuer.rng()),
        realm: call.realm.name().to_owned(),
        person: person.id,
        assurance,
        created: call.now,
        expires: call.now + Duration::from_secs(call.realm.realm().session_seconds.into()),
        revoked: None,
        address: call.address().map(|address| address.to_string()),
        user_agent: user_agent.map(|text| text.chars().take(200).collect()),
    }
}

/// What somebody logs in for, in words, and where the form may lead.
fn destination<'d>(call: &Call, destination: &'d Destination) -> (String, Option<&'d str>) {
    match destination {
        Destination::Application(request) => (client_title(call, &request.client_id), Some(request.redirect_uri.as_str())),
        Destination::Account => ("your account".to_owned(), None),
        Destination::TwoFactor => ("your two-factor settings".to_owned(), None),
        Destination::Requests => ("your requests".to_owned(), None),
        Destination::Tokens => ("your tokens".to_owned(), None),
        Destination::Device(_) => ("connect a device".to_owned(), None),
    }
}

fn show(call: &Call, destination: &Destination, sealed: &str, username: &str, unproven: Option<Unproven>) -> Response {
    let (title, leads_to) = self::destination(call, destination);
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
