//! `/account/consents`: what one has allowed applications, and taking it back.

use axum::response::Response;
use durward_model::{Consent, Outcome};
use durward_oauth::consent::withdrawn;
use durward_oauth::{Registry as _, client_document};
use http::StatusCode;

use crate::authorization;
use crate::call::Call;
use crate::page::{self, ConsentRow, Consents, Navigation, Place, date, scope_words};
use crate::sso::LiveLogin;
use crate::transaction::{self, Browser, Destination, Reviewing};
use crate::{answer, form};

/// `GET /realms/{realm}/account/consents`
pub async fn get(call: Call) -> Response {
    let login = match LiveLogin::of_browser(&call).await {
        Ok(Some(login)) => login,
        Ok(None) => return authorization::to_login(&call, Destination::Account),
        Err(_) => return answer::unavailable(&call),
    };
    login.record(&call);
    match call.issuer.store().consents_of(call.realm.name(), login.person.id).await {
        Ok(consents) => show(&call, &login, &consents),
        Err(_) => answer::unavailable(&call),
    }
}

/// `POST /realms/{realm}/account/consents`: takes one back. The application's tokens are dead within a second.
pub async fn post(call: Call) -> Response {
    let (parameters, login) = match form::that_ends(&call).await {
        Ok(filled) => filled,
        Err(refused) => return *refused,
    };
    let Ok(consents) = call.issuer.store().consents_of(call.realm.name(), login.person.id).await else {
        return answer::unavailable(&call);
    };
    let location = format!("{}/account/consents", call.realm.issuer());
    let Some(ended) = consents.iter().find(|consent| parameters.get("end") == Some(id(consent).as_str())) else {
        return answer::see_other(&location, None);
    };
    call.recorder.edit(|event| {
        event.outcome = Outcome::Changed;
        event.target = Some(format!("consent/{}", name(&call, ended).unwrap_or_else(|| ended.client.to_string())));
    });
    match call.commit(&withdrawn(&login.person, ended.client, &ended.audience, call.now), StatusCode::SEE_OTHER).await {
        Ok(()) => answer::see_other(&location, None),
        Err(_) => answer::unavailable(&call),
    }
}

fn show(call: &Call, login: &LiveLogin, consents: &[Consent]) -> Response {
    let browser = Browser::of(call);
    let Ok(transaction) = transaction::seal(call, &Reviewing::new(&browser, login.session.id)) else { return answer::unavailable(call) };
    let page = Consents {
        frame: answer::frame(call),
        navigation: Navigation::at(call, Place::Consents),
        username: &login.person.username,
        consents: consents.iter().map(|consent| row(call, consent)).collect(),
        action: format!("/realms/{}/account/consents", call.realm.name()),
        transaction: &transaction,
    };
    answer::with_cookies(page::html(StatusCode::OK, &page, None), browser.cookie)
}

fn row(call: &Call, consent: &Consent) -> ConsentRow {
    let known = call.realm.service(&consent.audience).map(|service| service.scopes.as_slice()).unwrap_or_default();
    let words = |scopes: &[String]| scopes.iter().map(|scope| scope_words(scope, known)).collect();
    let title = name(call, consent).map(|client| authorization::client_title(call, &client));
    ConsentRow {
        id: id(consent),
        client: title.unwrap_or_else(|| "An application that is gone".to_owned()),
        scopes: words(&consent.scopes),
        declined: words(&consent.declined),
        since: consent.granted.to_string(),
        since_words: date(consent.granted),
    }
}

/// A consent is to one client for one service.
fn id(consent: &Consent) -> String {
    format!("{}.{}", consent.client, consent.audience)
}

/// The `client_id` of a client that there still is, or that is known by a document elsewhere.
fn name(call: &Call, consent: &Consent) -> Option<String> {
    let declared = call.realm.client_by_id(consent.client).map(|client| client.metadata.name.clone());
    declared.or_else(|| client_document::address(&call.realm, &consent.client_name).map(|url| url.as_str().to_owned()))
}
