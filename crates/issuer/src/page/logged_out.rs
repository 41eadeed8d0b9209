//! OpenID Connect Front-Channel Logout 1.0: the page that people see once they are signed out, and what it loads so that clients know.

use std::collections::BTreeSet;

use askama::Template;
use axum::response::Response;
use http::header::{CONTENT_SECURITY_POLICY, REFRESH};
use http::{HeaderValue, StatusCode};

use super::{Frame, form_source, html};

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
    let mut response = html(StatusCode::OK, page, None);
    let headers = response.headers_mut();
    let sources: BTreeSet<_> = page.clients.iter().filter_map(|uri| form_source(uri)).collect();
    if !sources.is_empty() {
        let policy = headers.get(CONTENT_SECURITY_POLICY).and_then(|policy| policy.to_str().ok()).unwrap_or_default();
        let sources = sources.into_iter().collect::<Vec<_>>().join(" ");
        let policy = policy.replacen("; frame-ancestors", &format!("; frame-src {sources}; frame-ancestors"), 1);
        if let Ok(policy) = HeaderValue::try_from(policy) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
    }
    let onward =
        page.onward.as_ref().filter(|_| page.by_itself).and_then(|uri| HeaderValue::try_from(format!("{FRAMES_HAVE}; url={uri}")).ok());
    headers.extend(onward.map(|onward| (REFRESH, onward)));
    response
}
