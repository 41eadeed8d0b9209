//! OpenID Connect Front-Channel Logout 1.0: the page that people see once they are signed out, and what it loads so that clients know.

use askama::Template;
use axum::response::Response;
use http::header::REFRESH;
use http::{HeaderValue, StatusCode};

use super::{Frame, Policy, Source, held_to};

/// How long the browser has for the clients' frames before it goes on, in seconds.
const FRAMES_HAVE: u32 = 3;

/// Signed out.
#[derive(Debug, Template)]
#[template(path = "logged_out.html")]
pub(crate) struct LoggedOut {
    pub frame: Frame,
    /// What the browser loads of each client that wants to know.
    pub clients: Vec<String>,
    /// Where people go from here.
    pub onward: Option<String>,
    /// Whether the page goes there, once clients are told, or people by its link.
    pub by_itself: bool,
}

/// The page as an answer. Its policy admits frames of exactly the clients that it names.
pub(crate) fn logged_out(page: &LoggedOut) -> Response {
    let frames = page.clients.iter().filter_map(|uri| Source::of(uri)).collect();
    let mut response = held_to(&Policy { frames, ..Policy::default() }, StatusCode::OK, page);
    let onward =
        page.onward.as_ref().filter(|_| page.by_itself).and_then(|uri| HeaderValue::try_from(format!("{FRAMES_HAVE}; url={uri}")).ok());
    response.headers_mut().extend(onward.map(|onward| (REFRESH, onward)));
    response
}
