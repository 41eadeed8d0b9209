//! Fetch section 3.2: what scripts of applications in browsers may read, of the endpoints that have an `OPTIONS` row and of no others. Cookies
//! never count here: no answer allows credentials.

use axum::response::{IntoResponse as _, Response};
use durward_oauth::{Registry as _, cross_origin};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderValue, StatusCode};

use crate::call::Call;

/// Answers a preflight: what a script of this origin may send, or that it may not.
pub(crate) fn preflight(call: &Call, methods: &'static str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let asked = call.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let origin = origin(call).filter(|(_, origin)| asked && cross_origin::may_ask(&call.realm, origin)).map(|(header, _)| header);
    if origin.is_none() {
        call.refused("origin.unregistered");
        *response.status_mut() = StatusCode::FORBIDDEN;
    } else {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type, dpop"));
        // A client whose address is taken away reads nothing for longer than this.
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    shared_with(origin, response)
}

/// Lets scripts of the realm's applications read an answer, an error as well.
pub(crate) fn share(call: &Call, response: Response) -> Response {
    let allowed = origin(call).filter(|(_, origin)| cross_origin::allows(call.realm.clients(), origin));
    shared_with(allowed.map(|(header, _)| header), response)
}

fn shared_with(origin: Option<&HeaderValue>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    // Without an origin too: what a cache keeps of this is for this origin alone.
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("www-authenticate, retry-after, dpop-nonce"));
    }
    response
}

/// The origin of the script that asks.
fn origin(call: &Call) -> Option<(&HeaderValue, &str)> {
    let mut origins = call.headers.get_all(ORIGIN).iter();
    let origin = origins.next().filter(|_| origins.next().is_none())?;
    Some((origin, origin.to_str().ok()?))
}
