//! JSON answers of the OAuth endpoints: RFC 6749 sections 5.1 and 5.2, RFC 6750 section 3.

use axum::response::{IntoResponse as _, Response};
use durward_authn::throttle::client::GUESS;
use durward_base::Duration;
use durward_oauth::{ErrorCode, OAuthError};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::answer::seconds;
use crate::call::{Call, FormError};

/// RFC 6749 5.1: "The authorization server MUST include the HTTP "Cache-Control" response header field with a value of "no-store" in any response
/// containing tokens, credentials, or other sensitive information".
pub(crate) fn private(body: Vec<u8>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    (headers, body).into_response()
}

/// A JWT for the one who asked, of this media type.
pub(crate) fn token(media_type: &'static str, token: String) -> Response {
    let headers = [(CONTENT_TYPE, HeaderValue::from_static(media_type)), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (headers, token).into_response()
}

/// A document that anyone may have, and keep for `max_age` seconds; scripts of other origins too.
pub(crate) fn public(document: &impl Serialize, max_age: u32) -> Response {
    let Ok(body) = serde_json::to_vec(document) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let caching = format!("public, max-age={max_age}, stale-if-error=86400");
    let mut response = ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response();
    let headers = response.headers_mut();
    headers.extend(HeaderValue::try_from(caching).ok().map(|value| (CACHE_CONTROL, value)));
    headers.insert(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Answers an error, and says in the record why.
pub(crate) fn refuse(call: &Call, error: OAuthError) -> Response {
    match error.code {
        ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => {
            call.recorder.edit(|event| {
                event.outcome = durward_model::Outcome::Failed;
                event.reason = Some(error.reason.to_owned());
            });
        }
        _ => call.refused(error.reason),
    }
    answer(call, error)
}

/// Answers an error whose reason the record has already.
pub(crate) fn answer(call: &Call, error: OAuthError) -> Response {
    let mut response = private(serde_json::to_vec(&error.body()).unwrap_or_default());
    *response.status_mut() = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.extend(challenge(call, &error).map(|value| (WWW_AUTHENTICATE, value)));
    let usual = match error.code {
        ErrorCode::TemporarilyUnavailable => Some(Duration::from_secs(1)),
        ErrorCode::TooManyAttempts => Some(GUESS),
        _ => None,
    };
    let wait = error.wait.or(usual).map(seconds);
    headers.extend(wait.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds))));
    response
}

/// Answers a body that is not read.
pub(crate) fn unreadable(call: &Call, error: FormError) -> Response {
    let (status, reason, description) = error.parts();
    let mut response = match error {
        FormError::Parameters(error) => return refuse(call, error),
        FormError::NotAForm | FormError::NotJson | FormError::TooLarge => {
            refuse(call, OAuthError::new(ErrorCode::InvalidRequest, reason, description))
        }
    };
    *response.status_mut() = status;
    response
}

/// What a 401 or 403 says about how to do better.
fn challenge(call: &Call, error: &OAuthError) -> Option<HeaderValue> {
    let realm = call.realm.name();
    let challenge = match error.code {
        // RFC 6749 5.2: "the authorization server MUST [...] include the "WWW-Authenticate" response header field matching the authentication scheme
        // used by the client."
        ErrorCode::InvalidClient => format!("Basic realm=\"{realm}\", charset=\"UTF-8\""),
        // RFC 6750 3.1: a request without any authentication gets no error code.
        ErrorCode::InvalidToken if call.authorization().is_empty() => format!("Bearer realm=\"{realm}\""),
        ErrorCode::InvalidToken | ErrorCode::InsufficientScope => {
            format!("Bearer realm=\"{realm}\", error=\"{}\", error_description=\"{}\"", error.code.name(), error.description)
        }
        _ => return None,
    };
    HeaderValue::try_from(challenge).ok()
}

/// The store or the record cannot be reached.
pub(crate) const UNAVAILABLE: OAuthError =
    OAuthError::new(ErrorCode::TemporarilyUnavailable, "store_unavailable", "the authority cannot reach its store: try again soon");

/// What would be issued now would be of another time.
pub(crate) const CLOCK_JUMPED: OAuthError =
    OAuthError::new(ErrorCode::TemporarilyUnavailable, "clock.jumped", "the authority's clock is being set right: try again soon");

/// Others were faster each time.
pub(crate) const CONTENDED: OAuthError =
    OAuthError::new(ErrorCode::TemporarilyUnavailable, "contended", "too many requests change the same thing: try again soon");

/// Something broke here.
pub(crate) const BROKEN: OAuthError = OAuthError::new(ErrorCode::ServerError, "internal", "something went wrong here");
