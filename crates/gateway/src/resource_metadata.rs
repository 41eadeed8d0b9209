//! RFC 9728 sections 3 and 5: the documents of protected resources, and where a refused client finds the one it needs.

use axum::body::Body;
use durward_enforce::resource_metadata::{ResourceMetadata, WELL_KNOWN, resource_path, takes_tokens};
use durward_enforce::{CompiledRoute, Head, View};
use http::Response;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use url::Url;

use crate::route::route;

/// How long a document may be kept, in seconds.
const MAX_AGE: &str = "public, max-age=300";

/// The answer to a request for a document that there is.
pub(crate) fn document(view: &View, public_url: Option<&Url>, head: &Head<'_>) -> Option<Response<Body>> {
    let path = head.path().strip_prefix(WELL_KNOWN)?;
    if !(path.is_empty() || path.starts_with('/')) || !matches!(head.method, "GET" | "HEAD") {
        return None;
    }
    let metadata = ResourceMetadata::of(view, &head.host(), path, |route| address(public_url, route, ""))?;
    let body = metadata.to_json()?;
    let response = Response::builder().header(CONTENT_TYPE, "application/json").header(CACHE_CONTROL, MAX_AGE);
    response.header(ACCESS_CONTROL_ALLOW_ORIGIN, "*").body(body.into()).ok()
}

/// 5.1: "resource_metadata: The URL of the protected resource metadata." Of the resource that a refused request asked for.
pub(crate) fn found_at(view: &View, public_url: Option<&Url>, head: &Head<'_>) -> Option<String> {
    let routed = route(view, head).ok()?;
    if takes_tokens(routed.route()) { address(public_url, routed.route(), WELL_KNOWN) } else { None }
}

/// The URL of a route's resource under the gateway's public URL, `inserted` between host and path.
fn address(public_url: Option<&Url>, route: &CompiledRoute, inserted: &str) -> Option<String> {
    let mut url = public_url?.clone();
    if let Some(host) = &route.resource().host {
        url.set_host(Some(host)).ok()?;
    }
    Some(format!("{}{inserted}{}", url.as_str().trim_end_matches('/'), resource_path(route.resource())))
}
