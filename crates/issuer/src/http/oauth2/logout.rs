//! `/oauth2/logout`: OpenID Connect RP-Initiated Logout 1.0 and Front-Channel Logout 1.0.

use axum::response::Response;
use durward_model::{Family, Outcome, Write};
use durward_oauth::logout::{self, LogoutRequest};
use durward_oauth::{OAuthError, Parameters};
use durward_store::StoreError;
use http::StatusCode;

use crate::call::Call;
use crate::client_documents;
use crate::cookie::Cookie;
use crate::page::{self, LoggedOut, Logout};
use crate::sso::LiveLogin;
use crate::transaction::{self, Browser, LoggingOut};
use crate::{answer, origin};

/// `GET /realms/{realm}/oauth2/logout`
pub async fn get(call: Call) -> Response {
    match Parameters::parse(&[call.query.as_bytes()]) {
        Ok(parameters) => asked(&call, &parameters).await,
        Err(error) => refuse(&call, error),
    }
}

/// `POST /realms/{realm}/oauth2/logout`: a client's request, or the answer to our own question.
pub async fn post(call: Call) -> Response {
    let parameters = match call.form() {
        Ok(parameters) => parameters,
        Err(error) => return answer::unreadable(&call, error),
    };
    match parameters.get("transaction") {
        Some(sealed) => confirmed(&call, sealed).await,
        None => asked(&call, &parameters).await,
    }
}

async fn asked(call: &Call, parameters: &Parameters) -> Response {
    client_documents::read_named(call, parameters).await;
    let request = match LogoutRequest::read(parameters, &call.realm, call.now) {
        Ok(request) => request,
        Err(error) => return refuse(call, error),
    };
    match LiveLogin::of_browser(call).await {
        Err(_) => answer::unavailable(call),
        Ok(None) if request.interstitial => {
            let page = LoggedOut { frame: answer::frame(call), clients: Vec::new(), onward: request.redirect, by_itself: false };
            cleared(call, page::logged_out(&page))
        }
        Ok(None) => leave(call, request.redirect, Vec::new()),
        Ok(Some(login)) => match must_ask(call, &request, &login).await {
            Err(_) => answer::unavailable(call),
            Ok(true) => ask(call, &login, request.redirect),
            Ok(false) => end(call, &login, request.redirect).await,
        },
    }
}

/// The hint's family is looked for by itself: a login may have more families than are listed.
async fn must_ask(call: &Call, request: &LogoutRequest, login: &LiveLogin) -> Result<bool, StoreError> {
    let facts = match request.hint.as_ref().and_then(|hint| hint.family) {
        Some(family) => call.issuer.store().family_facts(call.realm.name(), family).await?,
        None => None,
    };
    let hinted = facts.as_ref().map(|facts| &facts.family);
    Ok(request.must_ask(&call.realm, &login.person.sub, login.session.id, hinted))
}

/// 2: the OP "MUST ask the End-User this question if the id_token_hint was not provided".
fn ask(call: &Call, login: &LiveLogin, redirect: Option<String>) -> Response {
    let browser = Browser::of(call);
    let leads_to = redirect.clone();
    let Ok(sealed) = transaction::seal(call, &LoggingOut::new(&browser, login.session.id, redirect)) else {
        return answer::stale_form(call);
    };
    let action = format!("/realms/{}/oauth2/logout", call.realm.name());
    let page = Logout { frame: answer::frame(call), username: &login.person.username, action, transaction: &sealed };
    answer::with_cookies(page::html(StatusCode::OK, &page, leads_to.as_deref()), browser.cookie)
}

async fn confirmed(call: &Call, sealed: &str) -> Response {
    if !origin::is_ours(&call.headers, &call.issuer.origin) {
        return answer::foreign_form(call);
    }
    let Some(step) = transaction::open::<LoggingOut>(call, Some(sealed)) else { return answer::stale_form(call) };
    match LiveLogin::of_browser(call).await {
        Err(_) => answer::unavailable(call),
        Ok(None) => leave(call, step.redirect, Vec::new()),
        Ok(Some(login)) if login.session.id == step.session() => end(call, &login, step.redirect).await,
        Ok(Some(_)) => answer::stale_form(call),
    }
}

async fn end(call: &Call, login: &LiveLogin, redirect: Option<String>) -> Response {
    let session = login.session.id;
    let Ok(families) = call.issuer.store().families_of_session(call.realm.name(), session).await else {
        return answer::unavailable(call);
    };
    login.record(call);
    let told = clients_to_tell(call, &families);
    call.recorder.edit(|event| {
        event.outcome = Outcome::Changed;
        event.target = Some(format!("session/{session}"));
    });
    let write = Write::EndSession { realm: call.realm.name().to_owned(), session, at: call.now, reason: "logout" };
    let status = if redirect.is_some() && told.is_empty() { StatusCode::SEE_OTHER } else { StatusCode::OK };
    match call.commit(&[write], status).await {
        Ok(()) => leave(call, redirect, told),
        Err(_) => answer::unavailable(call),
    }
}

/// What the browser loads so that clients know (Front-Channel Logout 3): those in this login that want to.
fn clients_to_tell(call: &Call, families: &[Family]) -> Vec<String> {
    let live = families.iter().filter(|family| family.revoked.is_none());
    let told = live.filter_map(|family| logout::frontchannel_uri(&call.realm, call.realm.client_by_id(family.client)?.metadata, family.id));
    told.collect()
}

/// Back to where the client wants people to be, without the cookie; by the page that tells clients, where there are such.
fn leave(call: &Call, redirect: Option<String>, told: Vec<String>) -> Response {
    match redirect {
        Some(redirect) if told.is_empty() => cleared(call, answer::see_other(&redirect, None)),
        onward => cleared(call, page::logged_out(&LoggedOut { frame: answer::frame(call), clients: told, onward, by_itself: true })),
    }
}

fn cleared(call: &Call, response: Response) -> Response {
    answer::with_cookies(response, Cookie::Session.clear(call.realm.name()))
}

fn refuse(call: &Call, error: OAuthError) -> Response {
    let sentence =
        format!("The application sent you here with a request that is not right: {}. You are still signed in.", error.description);
    answer::failure(call, StatusCode::BAD_REQUEST, error.reason, ("You were not signed out", &sentence))
}
