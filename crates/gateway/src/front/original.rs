//! The request that a front asks about, as the front says it: once, in one way, or not at all.

use std::net::IpAddr;

use axum::body::Body;
use durward_net::Problem;
use durward_net::http1::is_authority;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};

use super::{bad, once, told};
use crate::accept::{self, Client};

/// The longest target that is read, in bytes.
const TARGET: usize = 8 * 1024;
/// Where forward-auth is asked.
const FORWARD_AUTH: &str = "/forward-auth";
/// What Envoy puts before the path it asks about.
const ENVOY: &str = "/ext-authz";

/// The request that is asked about.
pub(super) struct Original {
    pub method: Method,
    pub target: String,
    pub authority: String,
    pub headers: HeaderMap,
    pub client: Client,
    pub dialect: Dialect,
}

/// How a front asks, and what it can do with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `X-Forwarded-Method`, `-Uri`, `-Host`, `-Proto`: Traefik and Caddy. Answers are passed on as they are.
    Forwarded,
    /// `X-Original-Method`, `X-Original-URL`: nginx, which knows 401 and 403 and takes any other refusal for a failure.
    Original,
    /// The request itself, its path behind a prefix: Envoy over HTTP.
    Envoy,
}

impl Original {
    /// Reads it. What the front says is taken out of the headers: the rest is the client's.
    pub(super) fn of(parts: &Parts, front: &Client) -> Result<Self, Problem> {
        let path = parts.uri.path();
        if path == FORWARD_AUTH {
            return forward_auth(parts, front);
        }
        match parts.uri.path_and_query().and_then(|target| target.as_str().strip_prefix(ENVOY)) {
            Some(target) if target.starts_with('/') => {
                let authority = parts.uri.authority().map(|authority| authority.as_str()).or(once(parts, "host")?);
                let proto = once(parts, "x-forwarded-proto")?;
                Self::new(parts, (parts.method.as_str(), target, authority, proto), Dialect::Envoy, front)
            }
            _ => Err(Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.")),
        }
    }

    /// What a front says, checked.
    fn new(
        parts: &Parts,
        (method, target, authority, proto): (&str, &str, Option<&str>, Option<&str>),
        dialect: Dialect,
        front: &Client,
    ) -> Result<Self, Problem> {
        let address = client_address(parts, front, dialect)?;
        let mut headers = parts.headers.clone();
        SAID.iter().for_each(|name| drop(headers.remove(*name)));
        checked((method, target, authority, proto), headers, address, dialect)
    }
}

/// Checks what was said of a request, whoever said it.
pub(super) fn checked(
    (method, target, authority, proto): (&str, &str, Option<&str>, Option<&str>),
    headers: HeaderMap,
    address: Option<IpAddr>,
    dialect: Dialect,
) -> Result<Original, Problem> {
    let unreadable = || bad("front_malformed", "The front does not say which request it asks about.");
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| unreadable())?;
    accept::method(&method)?;
    let printable = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    if !target.starts_with('/') || target.len() > TARGET || !target.bytes().all(printable) {
        return Err(unreadable());
    }
    let authority = authority.filter(|authority| is_authority(authority)).ok_or_else(unreadable)?.to_owned();
    let tls = told::is_encrypted(proto).ok_or_else(unreadable)?;
    let client = Client { ip: address, address: address.map(|address| address.to_string()), tls, certificate: None, requested: None };
    Ok(Original { method, target: target.to_owned(), authority, headers, client, dialect })
}

/// Both ways of saying it at once are two requests in one (GWID-001).
fn forward_auth(parts: &Parts, front: &Client) -> Result<Original, Problem> {
    let forwarded = (once(parts, "x-forwarded-method")?, once(parts, "x-forwarded-uri")?);
    let original = (once(parts, "x-original-method")?, once(parts, "x-original-url")?);
    match (forwarded, original) {
        ((Some(method), Some(target)), (None, None)) => {
            let (authority, proto) = (once(parts, "x-forwarded-host")?, once(parts, "x-forwarded-proto")?);
            Original::new(parts, (method, target, authority, proto), Dialect::Forwarded, front)
        }
        ((None, None), (Some(method), Some(url))) => {
            let (proto, rest) = url.split_once("://").unwrap_or_default();
            let at = rest.find('/').unwrap_or(rest.len());
            let (authority, target) = rest.split_at(at);
            Original::new(parts, (method, target, Some(authority), Some(proto)), Dialect::Original, front)
        }
        ((None, None), (None, None)) => Err(bad("front_malformed", "The front does not say which request it asks about.")),
        _ => Err(bad("front_ambiguous", "What the front says of the request can be read in more than one way.")),
    }
}

/// The address that the front has seen. Envoy says it in a field of its own.
fn client_address(parts: &Parts, front: &Client, dialect: Dialect) -> Result<Option<IpAddr>, Problem> {
    let said = match dialect {
        Dialect::Envoy => once(parts, "x-envoy-external-address")?,
        Dialect::Forwarded | Dialect::Original => told::forwarded_for(&parts.headers),
    };
    let unreadable = |_| bad("front_malformed", "The front does not say where the request comes from.");
    said.map_or(Ok(front.ip.filter(|_| dialect != Dialect::Envoy)), |said| said.parse().map(Some).map_err(unreadable))
}

/// What fronts say, beside the client's own fields.
const SAID: [&str; 8] = [
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-proto",
    "x-forwarded-uri",
    "x-original-method",
    "x-original-url",
    "x-real-ip",
];

impl Dialect {
    /// An answer as this kind of front understands it.
    pub(super) fn fitted(self, mut response: Response<Body>) -> Response<Body> {
        let status = response.status();
        if self == Self::Original && status.is_redirection() {
            // Where to log in stands in `Location` still.
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        } else if self == Self::Original && status.is_client_error() && status != StatusCode::UNAUTHORIZED {
            *response.status_mut() = StatusCode::FORBIDDEN;
        }
        response
    }
}

#[cfg(test)]
mod tests;
