//! The pages people see: templates, their words, and the headers that every HTML answer carries.

mod access;
mod account;
mod browser;
mod device;
mod form_post;
mod logged_out;
mod moment;
mod navigation;
mod policy;
mod qr;
mod requests;
mod scope_words;
pub(crate) mod scopes;
mod second_factor;

use askama::Template;
use axum::response::{IntoResponse, Response};
use durward_base::EventId;
use durward_oauth::rar::Words;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use http::{HeaderName, HeaderValue, StatusCode};

pub(crate) use access::{ConsentRow, Consents, Lifetime, ServiceRow, ServiceScope, TokenMade, TokenRow, Tokens};
pub(crate) use account::{Account, FamilyRow, SessionRow, Sessions};
pub(crate) use browser::browser;
pub(crate) use device::{DeviceAnswered, DeviceConfirm, DeviceEntry};
pub(crate) use form_post::{FORM_POST_SCRIPT, FormPost, self_submitting};
pub(crate) use logged_out::{LoggedOut, logged_out};
pub(crate) use moment::{ago, date};
pub(crate) use navigation::{Navigation, Place};
use policy::{Policy, Source};
pub(crate) use qr::QrCode;
pub(crate) use requests::{RequestAnswered, RequestRow, Requests};
pub(crate) use scope_words::scope_words;
pub(crate) use second_factor::{LoginTotp, RecoveryCodes, Totp, TotpEnrol};

use crate::http::assets;

/// What every page has around its content.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// The realm's title.
    pub title: String,
}

impl Frame {
    fn stylesheet(&self) -> String {
        assets::one::STYLESHEET.path()
    }

    fn icon(&self) -> String {
        assets::one::ICON.path()
    }
}

/// Where people type their password.
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub(crate) struct Login<'a> {
    pub frame: Frame,
    /// The title of the application, or what else they sign in for.
    pub destination: &'a str,
    pub action: String,
    pub transaction: &'a str,
    pub username: &'a str,
    pub error: Option<String>,
}

/// Where people allow an application.
#[derive(Debug, Template)]
#[template(path = "consent.html")]
pub(crate) struct Consent<'a> {
    pub frame: Frame,
    pub client: &'a str,
    /// The host whose document describes it, where nobody registered it.
    pub known_by: Option<String>,
    /// Whether it registered itself, so that nobody vouches for what it calls itself.
    pub unverified: bool,
    pub username: &'a str,
    /// What it says of itself elsewhere: what a link is called, and where it leads.
    pub about: Vec<(&'static str, &'a str)>,
    pub scopes: Vec<scopes::ScopeRow>,
    /// What it asks for in detail (RFC 9396), this once.
    pub details: Vec<Words>,
    pub returns_to: String,
    pub action: String,
    pub transaction: &'a str,
}

/// Something went wrong, in a sentence that says what to do.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub(crate) struct Failure {
    pub frame: Frame,
    pub heading: &'static str,
    pub sentence: String,
    pub onward: Option<Onward>,
    pub request: EventId,
}

/// The way out of an error page: a link, or a form where there are fields.
#[derive(Debug, Clone)]
pub(crate) struct Onward {
    pub href: String,
    pub fields: Vec<(&'static str, String)>,
    pub label: String,
}

/// Asks before signing out.
#[derive(Debug, Template)]
#[template(path = "logout.html")]
pub(crate) struct Logout<'a> {
    pub frame: Frame,
    pub username: &'a str,
    pub action: String,
    pub transaction: &'a str,
}

/// A page as an answer. `leads_to` is where a form on it may redirect besides ourselves.
pub(crate) fn html(status: StatusCode, page: &impl Template, leads_to: Option<&str>) -> Response {
    held_to(&Policy { leads_to: leads_to.and_then(Source::of), ..Policy::default() }, status, page)
}

/// A page as an answer, held to a policy.
fn held_to(policy: &Policy, status: StatusCode, page: &impl Template) -> Response {
    let Ok(body) = page.render() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, policy.header());
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

const FIXED: [(HeaderName, &str); 3] = [(X_FRAME_OPTIONS, "DENY"), (REFERRER_POLICY, "no-referrer"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];

#[cfg(test)]
mod tests;
