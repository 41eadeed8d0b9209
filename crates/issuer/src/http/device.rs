//! `/device`: RFC 8628 section 3.3: where people type the code that a device shows, see what asks and from where, and answer.
//!
//! Nothing is looked up by following a link: a code that stands in the URL is put into the form, and counts as typed once the form is sent.

use axum::response::Response;
use durward_model::DeviceAuthorization;
use durward_oauth::Parameters;
use durward_oauth::device::{self, UserCode};
use durward_store::StoreError;
use http::StatusCode;
use minicbor::{Decode, Encode};

use crate::authorization::{self, client_title};
use crate::call::Call;
use crate::device_answer::{self, Answered, Answering};
use crate::page::{self, DeviceAnswered, DeviceConfirm, DeviceEntry, ago, scopes};
use crate::sso::LiveLogin;
use crate::transaction::{self, Browser, Destination, Step};
use crate::{answer, form};

/// The form for a code was shown.
#[derive(Debug, Encode, Decode)]
struct Entering {
    #[n(0)]
    browser: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    session: [u8; 16],
}

impl Step for Entering {
    const PURPOSE: &'static str = "device code form";

    fn browser(&self) -> &str {
        &self.browser
    }
}

/// `GET /realms/{realm}/device`
pub async fn get(call: Call) -> Response {
    let parameters = Parameters::parse(&[call.query.as_bytes()]).ok();
    let code = parameters.as_ref().and_then(|parameters| parameters.get("user_code")).and_then(UserCode::parse);
    match LiveLogin::of_browser(&call).await {
        Ok(Some(login)) => enter(&call, &login, code.map(|code| code.shown()).as_deref(), None),
        Ok(None) => authorization::to_login(&call, Destination::Device(code.map(|code| code.shown()))),
        Err(_) => answer::unavailable(&call),
    }
}

/// `POST /realms/{realm}/device`: a code, or the answer to what it stands for.
pub async fn post(call: Call) -> Response {
    let (parameters, login) = match form::that_makes(&call).await {
        Ok(filled) => filled,
        Err(refused) => return *refused,
    };
    let answered = match parameters.get("decision") {
        None => look_up(&call, &login, &parameters).await,
        Some(_) => decide(&call, &login, &parameters).await,
    };
    answered.unwrap_or_else(|_| answer::unavailable(&call))
}

/// Looks a code up, and shows what it stands for. Every code typed is a guess until it proves right.
async fn look_up(call: &Call, login: &LiveLogin, parameters: &Parameters) -> Result<Response, StoreError> {
    let step = transaction::open::<Entering>(call, parameters.get("transaction"));
    if step.is_none_or(|step| step.session != login.session.id.to_bytes()) {
        return Ok(answer::stale_form(call));
    }
    if let Err(refused) = call.issuer.devices.guess(call, login.session.id) {
        let sentence = "Too many codes were wrong. Wait a few minutes and try again.";
        let page = enter(call, login, None, Some((StatusCode::TOO_MANY_REQUESTS, "device.throttled", sentence)));
        return Ok(answer::retry_after(page, refused.wait));
    }
    let typed = parameters.get("user_code").and_then(UserCode::parse);
    let found = match &typed {
        Some(code) => call.issuer.store().device_by_user_code(call.realm.name(), code.as_str()).await?,
        None => None,
    };
    let waiting = found.filter(|device| device::must_wait_for_answer(&call.realm, device, call.now).is_ok());
    let Some((code, device)) = typed.zip(waiting) else {
        let sentence = "This code is not right, or it is too old. Look at the device again.";
        return Ok(enter(call, login, None, Some((StatusCode::BAD_REQUEST, "device.code_wrong", sentence))));
    };
    call.issuer.devices.right(call, login.session.id);
    call.recorder.edit(|event| event.target = Some(format!("device/{}", device.id)));
    Ok(confirm(call, login, &code, &device))
}

async fn decide(call: &Call, login: &LiveLogin, parameters: &Parameters) -> Result<Response, StoreError> {
    let Some(shown) = Answering::open(call, login, parameters) else { return Ok(answer::stale_form(call)) };
    Ok(match device_answer::answer(call, login, shown, parameters).await? {
        Answered::Committed { device, allowed } => answered(call, &device, allowed),
        Answered::TooLate(error) => {
            device_answer::too_late(call, error, "The code was used before, or it is too old. Start again on the device.")
        }
        Answered::Stale => answer::stale_form(call),
    })
}

fn enter(call: &Call, login: &LiveLogin, code: Option<&str>, wrong: Option<(StatusCode, &str, &'static str)>) -> Response {
    let browser = Browser::of(call);
    let step = Entering { browser: browser.value, session: login.session.id.to_bytes() };
    let Ok(transaction) = transaction::seal(call, &step) else { return answer::unavailable(call) };
    if let Some((_, reason, _)) = wrong {
        call.refused(reason);
    }
    let page = DeviceEntry {
        frame: answer::frame(call),
        username: &login.person.username,
        code: code.unwrap_or_default(),
        error: wrong.map(|(.., sentence)| sentence),
        action: format!("/realms/{}/device", call.realm.name()),
        transaction: &transaction,
    };
    let status = wrong.map_or(StatusCode::OK, |(status, ..)| status);
    answer::with_cookies(page::html(status, &page, None), browser.cookie)
}

fn confirm(call: &Call, login: &LiveLogin, code: &UserCode, device: &DeviceAuthorization) -> Response {
    let browser = Browser::of(call);
    let Ok(transaction) = transaction::seal(call, &Answering::new(&browser, login, device.id)) else { return answer::unavailable(call) };
    let page = DeviceConfirm {
        frame: answer::frame(call),
        client: &client_title(call, &device.client_name),
        username: &login.person.username,
        code: code.shown(),
        address: device.address.as_deref(),
        since: ago(device.created, call.now),
        scopes: scopes::rows(call, &device.client_name, &device.audience, &device.scopes),
        action: format!("/realms/{}/device", call.realm.name()),
        transaction: &transaction,
    };
    answer::with_cookies(page::html(StatusCode::OK, &page, None), browser.cookie)
}

fn answered(call: &Call, device: &DeviceAuthorization, allowed: bool) -> Response {
    let page = DeviceAnswered { frame: answer::frame(call), client: &client_title(call, &device.client_name), allowed };
    page::html(StatusCode::OK, &page, None)
}
