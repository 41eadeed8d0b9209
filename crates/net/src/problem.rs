//! RFC 9457: Problem Details for HTTP APIs.

mod page;

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use durward_base::EventId;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};

/// An error answer. The surface adds the request's id as `instance`, so that its reader can ask for the explanation.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    // Boxed, so that a `Result` with a problem in it stays small.
    headers: Box<HeaderMap>,
}

impl Problem {
    /// A problem with a stable code (`forbidden`, `unknown_field`, …) and a sentence that says what to do.
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code: code.into(), detail: detail.into(), headers: Box::default() }
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code, which is the reason in the audit.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The sentence.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The answer to a request with these fields, naming it: a page where it is for a person to read.
    pub fn answer(&self, asked: &Asked, request: EventId) -> Response {
        let is_error = self.status.is_client_error() || self.status.is_server_error();
        if asked.page && is_error { page::render(self, request) } else { self.render(Some(request)) }
    }

    /// The answer to a program, naming the request.
    pub fn render(&self, request: Option<EventId>) -> Response {
        let body = serde_json::json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
            "instance": request.map(|id| format!("urn:durward:request:{id}")),
        });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend((*self.headers).clone());
        response
    }
}

/// The form that a request asks answers in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    page: bool,
}

impl Asked {
    /// By a request with these fields.
    pub fn by(headers: &HeaderMap) -> Self {
        Self { page: page::is_wanted(headers) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.render(None);
        response.extensions_mut().insert(self);
        response
    }
}
