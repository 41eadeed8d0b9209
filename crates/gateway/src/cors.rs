//! The Fetch standard's CORS protocol, per route: which pages of other origins may call, and read what is answered.

use axum::body::Body;
use durward_enforce::{CompiledRoute, Head, NormalPath, View};
use durward_model::resource::{Cors, Route};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

/// What answers to a page of an allowed origin bear; nothing where the route allows none, or not this one.
pub(crate) fn granted(route: &CompiledRoute, head: &Head<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let Some(cors) = &route.resource().cors else { return Vec::new() };
    let mut fields = vec![(header::VARY, HeaderValue::from_static("Origin"))];
    if let Some(origin) = origin(cors, head) {
        fields.push((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin));
        fields.extend(cors.credentials.then(|| (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"))));
        fields.extend(list(&cors.expose).map(|names| (header::ACCESS_CONTROL_EXPOSE_HEADERS, names)));
    }
    fields
}

/// Takes out of a service's answer what it says of other origins: on a route with rules about them, they alone say it.
pub(crate) fn take_out(headers: &mut HeaderMap) {
    for name in [
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        header::ACCESS_CONTROL_MAX_AGE,
    ] {
        headers.remove(name);
    }
}

/// The answer to a preflight for a route with rules about other origins. It bears no credential, so that it decides nothing but this.
pub(crate) fn preflight(view: &View, head: &Head<'_>) -> Option<(std::sync::Arc<CompiledRoute>, Response<Body>)> {
    let asked = head.header("access-control-request-method").next().filter(|_| head.method == "OPTIONS")?;
    let method = std::str::from_utf8(asked).ok()?;
    let path = NormalPath::parse(head.path().as_bytes()).ok()?;
    let routed = view.routes().find(&head.host(), method, &path).ok()?;
    let route = routed.route();
    let cors = route.resource().cors.as_ref()?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if origin(cors, head).is_some() {
        let Route { methods, .. } = route.resource();
        let methods = if methods.is_empty() { HeaderValue::try_from(method).ok() } else { list(methods) };
        let headers = response.headers_mut();
        headers.extend(methods.map(|methods| (header::ACCESS_CONTROL_ALLOW_METHODS, methods)));
        headers.extend(list(&cors.headers).map(|names| (header::ACCESS_CONTROL_ALLOW_HEADERS, names)));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(cors.max_age_seconds));
    }
    Some((std::sync::Arc::clone(route), response))
}

/// The request's one origin, where it is allowed, byte for byte: never a pattern, never `null`.
fn origin(cors: &Cors, head: &Head<'_>) -> Option<HeaderValue> {
    let mut origins = head.header("origin");
    let origin = origins.next().filter(|_| origins.next().is_none())?;
    cors.origins.iter().any(|allowed| allowed.as_bytes() == origin).then(|| HeaderValue::from_bytes(origin).ok()).flatten()
}

fn list(names: &[String]) -> Option<HeaderValue> {
    HeaderValue::try_from(names.join(", ")).ok().filter(|_| !names.is_empty())
}
