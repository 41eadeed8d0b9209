//! `/account/requests`: what applications ask of one while one sits somewhere else (OpenID Connect CIBA), and answering.

use axum::response::Response;
use durward_model::{Answerer, BackchannelRequest, DeviceAuthorization};
use durward_oauth::{Parameters, Registry as _, ciba};
use durward_store::StoreError;
use http::StatusCode;

use crate::authorization::{self, client_title};
use crate::call::Call;
use crate::device_answer::{self, Answered, Answering};
use crate::http::login::totp;
use crate::page::{self, Navigation, Place, RequestAnswered, RequestRow, Requests, ago, scopes};
use crate::second_factor;
use crate::sso::LiveLogin;
use crate::transaction::{self, Browser, Destination};
use crate::{answer, form};

/// `GET /realms/{realm}/account/requests`
pub async fn get(call: Call) -> Response {
    let login = match LiveLogin::of_browser(&call).await {
        Ok(Some(login)) => login,
        Ok(None) => return authorization::to_login(&call, Destination::Requests),
        Err(_) => return answer::unavailable(&call),
    };
    login.record(&call);
    match call.issuer.store().waiting_for(call.realm.name(), login.person.id, call.now).await {
        Ok(waiting) => show(&call, &login, &waiting),
        Err(_) => answer::unavailable(&call),
    }
}

/// `POST /realms/{realm}/account/requests`: allows one, or does not.
pub async fn post(call: Call) -> Response {
    let (parameters, login) = match form::that_makes(&call).await {
        Ok(filled) => filled,
        Err(refused) => return *refused,
    };
    decide(&call, &login, &parameters).await.unwrap_or_else(|_| answer::unavailable(&call))
}

async fn decide(call: &Call, login: &LiveLogin, parameters: &Parameters) -> Result<Response, StoreError> {
    let Some(shown) = Answering::open(call, login, parameters) else { return Ok(answer::stale_form(call)) };
    let device = call.issuer.store().device(call.realm.name(), shown).await?;
    let Some(Answerer::Person(named)) = device.map(|device| device.answerer) else { return Ok(answer::stale_form(call)) };
    if parameters.get("decision") == Some("allow") && must_prove_more(call, login, &named).await? {
        return Ok(totp::step_up(call, Destination::Requests, login, None).await);
    }
    Ok(match device_answer::answer(call, login, shown, parameters).await? {
        Answered::Committed { device, allowed } => answered(call, &device, allowed),
        Answered::TooLate(error) => {
            device_answer::too_late(call, error, "It was answered before, or it is too old. The application has to ask again.")
        }
        Answered::Stale => answer::stale_form(call),
    })
}

async fn must_prove_more(call: &Call, login: &LiveLogin, named: &BackchannelRequest) -> Result<bool, StoreError> {
    let had = login.level();
    let Some(wanted) = ciba::wanted(named) else { return Ok(false) };
    let strongest = second_factor::strongest(call, login, Some(wanted)).await?;
    Ok(ciba::must_prove_more(wanted, had, strongest))
}

fn show(call: &Call, login: &LiveLogin, waiting: &[DeviceAuthorization]) -> Response {
    let browser = Browser::of(call);
    let mut requests = Vec::with_capacity(waiting.len());
    for device in waiting {
        match row(call, login, &browser, device) {
            Some(row) => requests.push(row),
            None => return answer::unavailable(call),
        }
    }
    let page = Requests {
        frame: answer::frame(call),
        navigation: Navigation::at(call, Place::Requests),
        username: &login.person.username,
        requests,
        action: action(call),
    };
    answer::with_cookies(page::html(StatusCode::OK, &page, None), browser.cookie)
}

fn row(call: &Call, login: &LiveLogin, browser: &Browser, device: &DeviceAuthorization) -> Option<RequestRow> {
    let Answerer::Person(named) = &device.answerer else { return None };
    let transaction = transaction::seal(call, &Answering::new(browser, login, device.id)).ok()?;
    Some(RequestRow {
        id: device.id.to_string(),
        client: client_title(call, &device.client_name),
        unverified: call.realm.client(&device.client_name).is_some_and(|client| !client.metadata.origin.is_declared()),
        binding_message: named.binding_message.clone(),
        address: device.address.clone(),
        since: ago(device.created, call.now),
        scopes: scopes::rows(call, &device.client_name, &device.audience, &device.scopes),
        transaction,
    })
}

fn answered(call: &Call, device: &DeviceAuthorization, allowed: bool) -> Response {
    let page = RequestAnswered {
        frame: answer::frame(call),
        navigation: Navigation::at(call, Place::Requests),
        client: &client_title(call, &device.client_name),
        allowed,
        others: action(call),
    };
    page::html(StatusCode::OK, &page, None)
}

fn action(call: &Call) -> String {
    format!("/realms/{}/account/requests", call.realm.name())
}
