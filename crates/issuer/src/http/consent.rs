//! `/consent`: where people allow somebody else's application, for one request, once. The answer is one transaction.

use axum::response::Response;
use durward_model::Write;
use durward_model::resource::Origin;
use durward_model::write::Spent;
use durward_oauth::authorize::{DENIED_BY_PERSON, IssueFacts};
use durward_oauth::{Parameters, Registry as _, par, rar};
use durward_store::{CommitError, StoreError};
use http::StatusCode;
use url::Url;

use crate::authorization::{self, ATTEMPTS, client_title};
use crate::call::Call;
use crate::client_documents;
use crate::page::{self, Consent, scopes};
use crate::sso::LiveLogin;
use crate::transaction::{self, Consenting};
use crate::{answer, origin};

/// `GET /realms/{realm}/consent`
pub async fn get(call: Call) -> Response {
    let parameters = Parameters::parse(&[call.query.as_bytes()]).ok();
    let sealed = parameters.as_ref().and_then(|parameters| parameters.get("transaction"));
    let Some((step, sealed)) = transaction::open::<Consenting>(&call, sealed).zip(sealed) else { return answer::stale_form(&call) };
    client_documents::read(&call, &step.request.client_id).await;
    match login_of(&call, &step).await {
        Ok(Some(login)) if step.is_as_shown(&call) => show(&call, &step, sealed, &login),
        Ok(_) => answer::stale_form(&call),
        Err(_) => answer::unavailable(&call),
    }
}

/// `POST /realms/{realm}/consent`
pub async fn post(call: Call) -> Response {
    let parameters = match origin::own_form(&call) {
        Ok(parameters) => parameters,
        Err(refused) => return refused.answer(&call),
    };
    let Some(mut step) = transaction::open::<Consenting>(&call, parameters.get("transaction")) else { return answer::stale_form(&call) };
    client_documents::read(&call, &step.request.client_id).await;
    step.request.left_out = scopes::left_out(&call, (&step.request.client_id, &step.request.scopes), &parameters);
    match parameters.get("decision") {
        Some("allow") if !step.is_as_shown(&call) => answer::stale_form(&call),
        Some("allow") => allow(&call, &step).await,
        Some("deny") => deny(&call, &step).await,
        _ => answer::failure(
            &call,
            StatusCode::BAD_REQUEST,
            "consent.undecided",
            ("Nothing was decided", "Go back, and choose Allow or Deny."),
        ),
    }
}

async fn allow(call: &Call, step: &Consenting) -> Response {
    if call.clock_jumped() {
        return answer::clock_jumped(call);
    }
    for _ in 0..ATTEMPTS {
        match try_allow(call, step).await {
            Ok(response) => return response,
            Err(CommitError::Conflict { write_index: 0 }) => return answered_before(call),
            Err(CommitError::Conflict { .. }) => {}
            Err(CommitError::Unavailable(_)) => break,
        }
    }
    answer::unavailable(call)
}

async fn try_allow(call: &Call, step: &Consenting) -> Result<Response, CommitError> {
    let unavailable = |_: StoreError| answer::unavailable(call);
    let login = match login_of(call, step).await.map_err(unavailable) {
        Ok(Some(login)) => login,
        Ok(None) => return Ok(answer::stale_form(call)),
        Err(response) => return Ok(response),
    };
    let consent = match authorization::consent(call, &step.request, &login).await.map_err(unavailable) {
        Ok(consent) => consent,
        Err(response) => return Ok(response),
    };
    let facts = IssueFacts { person: &login.person, session: &login.session, consent: consent.as_ref(), consented: true };
    authorization::complete(call, &step.request, facts, vec![spend(call, step)], None).await
}

/// The form is answered once, whichever way.
fn spend(call: &Call, step: &Consenting) -> Write {
    Write::Spend { realm: call.realm.name().to_owned(), what: Spent::Transaction, id: step.id, expires: call.now + transaction::LIFE }
}

async fn deny(call: &Call, step: &Consenting) -> Response {
    match login_of(call, step).await {
        Ok(Some(login)) => login.record(call),
        Ok(None) => return answer::stale_form(call),
        Err(_) => return answer::unavailable(call),
    }
    call.refused(DENIED_BY_PERSON.reason);
    let redirect = step.request.failure(DENIED_BY_PERSON);
    let status = answer::response_status(redirect.response.is_form());
    let pushed = par::spend(&step.request, call.realm.name(), call.now);
    let writes: Vec<Write> = [spend(call, step)].into_iter().chain(pushed).collect();
    match call.commit(&writes, status).await {
        Ok(()) => {}
        Err(CommitError::Conflict { .. }) => return answered_before(call),
        Err(CommitError::Unavailable(_)) => return answer::unavailable(call),
    }
    answer::error_redirect(call, &redirect, &client_title(call, &step.request.client_id), None)
}

/// The login that the page was shown to, if this browser still has it.
async fn login_of(call: &Call, step: &Consenting) -> Result<Option<LiveLogin>, StoreError> {
    let login = LiveLogin::of_browser(call).await?;
    Ok(login.filter(|login| login.session.id == step.session()))
}

fn answered_before(call: &Call) -> Response {
    let words = ("This was answered before", "The page was submitted twice. If the application did not go on, start again from there.");
    answer::failure(call, StatusCode::CONFLICT, "consent.replayed", words)
}

fn show(call: &Call, step: &Consenting, sealed: &str, login: &LiveLogin) -> Response {
    let request = &step.request;
    let page = Consent {
        frame: answer::frame(call),
        client: &client_title(call, &request.client_id),
        known_by: known_by(call, &request.client_id),
        unverified: call.realm.client(&request.client_id).is_some_and(|client| !client.metadata.origin.is_declared()),
        username: &login.person.username,
        about: about(call, &request.client_id),
        scopes: scopes::rows(call, &request.client_id, &request.audience, &request.scopes),
        details: rar::words(&request.authorization_details, call.realm.service(&request.audience)),
        returns_to: place(&request.redirect_uri),
        action: format!("/realms/{}/consent", call.realm.name()),
        transaction: sealed,
    };
    page::html(StatusCode::OK, &page, Some(&request.redirect_uri))
}

/// OpenID Connect Registration 2: the addresses that "the OP SHOULD display [...] to the End-User".
fn about<'c>(call: &'c Call, client_id: &str) -> Vec<(&'static str, &'c str)> {
    let Some(client) = call.realm.client(client_id).map(|client| client.metadata) else { return Vec::new() };
    let links = [("Home page", &client.client_uri), ("Privacy policy", &client.policy_uri), ("Terms of service", &client.tos_uri)];
    links.into_iter().filter_map(|(name, url)| Some((name, url.as_ref()?.as_str()))).collect()
}

/// The host that a client is known by, whose `client_id` is an address: what it is called is its own word.
fn known_by(call: &Call, client_id: &str) -> Option<String> {
    let client = call.realm.client(client_id).filter(|client| client.metadata.origin == Origin::Published)?;
    Url::parse(&client.metadata.name).ok()?.host_str().map(str::to_owned)
}

/// Where the browser goes afterwards, as people recognise it.
fn place(redirect_uri: &str) -> String {
    let url = Url::parse(redirect_uri).ok();
    match url.as_ref().and_then(Url::host_str) {
        Some("127.0.0.1" | "[::1]" | "localhost") => "a program on this device".to_owned(),
        Some(host) => host.to_owned(),
        None => "an application on this device".to_owned(),
    }
}
