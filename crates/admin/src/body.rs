//! Request bodies: `application/json`, read strictly, into types that refuse what they do not know.

use axum::body::{Body as RawBody, to_bytes};
use axum::extract::{FromRequest, Request};
use durward_jose::json::{self, Limits};
use durward_net::Problem;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

/// The largest body, and how deep it may nest.
const LIMITS: Limits = Limits { bytes: 8 << 20, depth: 64 };

/// The body of a request.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request<RawBody>, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            let detail = "The body must be application/json.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
        }
        let bytes = to_bytes(body, LIMITS.bytes)
            .await
            .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body must be whole and at most 8 MiB."))?;
        let invalid = |error: &dyn std::fmt::Display| Problem::new(StatusCode::BAD_REQUEST, "invalid_body", error.to_string());
        let value = json::parse(&bytes, LIMITS).map_err(|error| invalid(&error))?;
        T::deserialize(value).map(Self).map_err(|error| invalid(&error))
    }
}

/// Whether there is exactly one content type, and it is `application/json`.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let essence = types.next().and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    types.next().is_none() && essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}
