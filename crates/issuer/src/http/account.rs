//! `/account`: who one is here.

pub mod consents;
pub mod sessions;
pub mod tokens;

use axum::response::Response;
use http::StatusCode;

use crate::answer;
use crate::authorization;
use crate::call::Call;
use crate::page::{self, Account};
use crate::sso::LiveLogin;
use crate::transaction::Destination;

/// `GET /realms/{realm}/account`
pub async fn get(call: Call) -> Response {
    match LiveLogin::of_browser(&call).await {
        Ok(Some(login)) => show(&call, &login),
        Ok(None) => authorization::to_login(&call, Destination::Account),
        Err(_) => answer::unavailable(&call),
    }
}

fn show(call: &Call, login: &LiveLogin) -> Response {
    login.record(call);
    let page = Account {
        frame: answer::frame(call),
        username: &login.person.username,
        display_name: login.person.display_name.as_deref(),
        email: login.person.email.as_deref(),
        sessions: format!("/realms/{}/account/sessions", call.realm.name()),
        consents: format!("/realms/{}/account/consents", call.realm.name()),
        tokens: format!("/realms/{}/account/tokens", call.realm.name()),
        logout: format!("/realms/{}/oauth2/logout", call.realm.name()),
    };
    page::html(StatusCode::OK, &page, None)
}
