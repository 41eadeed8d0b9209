//! What a browser is answered at the gateway's own addresses: nothing that may be kept.

use axum::body::Body;
use durward_net::Problem;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::Value;

use super::bad;

/// A redirect, with cookies.
pub(super) fn redirect(url: &str, cookies: impl IntoIterator<Item = Option<HeaderValue>>) -> Result<Response<Body>, Problem> {
    let response = Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(LOCATION, url)
        .header(CACHE_CONTROL, "no-store")
        .header(REFERRER_POLICY, "no-referrer");
    let response = cookies.into_iter().flatten().fold(response, |response, cookie| response.header(SET_COOKIE, cookie));
    response.body(Body::empty()).map_err(|_| bad("redirect", "There is no way to where this leads."))
}

/// The same in place of a refusal, whose reason stays on record.
pub(super) fn redirect_problem(reason: &'static str, url: &str, cookie: Option<HeaderValue>) -> Problem {
    let problem = Problem::new(StatusCode::SEE_OTHER, reason, "Log in first.");
    let problem = cookie.into_iter().fold(problem, |problem, cookie| problem.header(SET_COOKIE, cookie));
    match HeaderValue::try_from(url) {
        Ok(url) => problem.header(LOCATION, url).header(REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        Err(_) => problem,
    }
}

/// A document for scripts.
pub(super) fn json(
    status: StatusCode,
    body: &Value,
    cookies: impl IntoIterator<Item = Option<HeaderValue>>,
) -> Result<Response<Body>, Problem> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json").header(CACHE_CONTROL, "no-store");
    let response = cookies.into_iter().flatten().fold(response, |response, cookie| response.header(SET_COOKIE, cookie));
    response.body(Body::from(body.to_string())).map_err(|_| bad("answer", "There is no answer to this."))
}
