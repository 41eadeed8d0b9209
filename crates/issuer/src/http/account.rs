//! `/account`: who one is here.

pub mod consents;
pub mod requests;
pub mod sessions;
pub mod tokens;
pub mod totp;

use axum::response::Response;
use http::StatusCode;

use crate::answer;
use crate::authorization;
use crate::call::Call;
use crate::page::{self, Account, Navigation, Place, date};
use crate::second_factor;
use crate::sso::LiveLogin;
use crate::transaction::Destination;

/// `GET /realms/{realm}/account`
pub async fn get(call: Call) -> Response {
    match LiveLogin::of_browser(&call).await {
        Ok(Some(login)) => show(&call, &login).await,
        Ok(None) => authorization::to_login(&call, Destination::Account),
        Err(_) => answer::unavailable(&call),
    }
}

async fn show(call: &Call, login: &LiveLogin) -> Response {
    login.record(call);
    let Ok(two_factor) = second_factor::is_set_up(call, login.person.id).await else { return answer::unavailable(call) };
    let page = Account {
        frame: answer::frame(call),
        navigation: Navigation::at(call, Place::Profile),
        username: &login.person.username,
        display_name: login.person.display_name.as_deref(),
        email: login.person.email.as_deref(),
        two_factor,
        set_up: format!("/realms/{}/account/totp", call.realm.name()),
        since: date(login.session.created),
    };
    page::html(StatusCode::OK, &page, None)
}
