//! Decisions for proxies that stand in front: forward-auth as nginx, Traefik and Caddy ask it, `ext_authz` as Envoy does, over HTTP and gRPC.
//!
//! The same routes and the same decisions; nothing is forwarded. What may pass is answered with the identity token for the service behind, which
//! the front passes on. Only listed fronts may ask: what they say of a request is believed.

mod ext_authz;
#[allow(missing_docs, clippy::doc_markdown, clippy::must_use_candidate, reason = "generated")]
#[rustfmt::skip]
mod messages;
mod original;
pub(crate) mod told;

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use durward_base::Timestamp;
use durward_enforce::{Head, IdentityToken};
use durward_net::{Answer, Bound, Incoming, Problem, Refused, Shutdown};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use ipnet::IpNet;

use crate::accept::Client;
use crate::forward::{self, strip};
use crate::gateway::Gateway;
use crate::record::Trail;
use crate::terms;
use original::{Dialect, Original};

/// Envoy's word for the fields that it is to take out.
const TO_REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");
/// Where Envoy asks over gRPC.
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// The gateway, to one front's connection.
struct Asking {
    gateway: Arc<Gateway>,
    front: Client,
    fronts: Arc<Vec<IpNet>>,
}

impl Answer for Asking {
    type Body = Body;

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        self.gateway.answer_front(&self.front, &self.fronts, request).await
    }

    async fn refuse(&self, refused: Refused) -> Response<Body> {
        self.gateway.refuse(&self.front, refused).await
    }
}

impl Gateway {
    /// Serves the listener that fronts ask, until shutdown. A peer of none of these networks is refused.
    pub async fn serve_fronts(self: Arc<Self>, bound: Bound, fronts: Vec<IpNet>, shutdown: Shutdown) {
        let (limits, unserved, fronts) = (self.limits, self.unserved(), Arc::new(fronts));
        let service = move |peer| Asking { gateway: Arc::clone(&self), front: Client::from(peer), fronts: Arc::clone(&fronts) };
        durward_net::serve(bound, None, limits, unserved, shutdown, service).await;
    }

    async fn answer_front<B>(&self, front: &Client, fronts: &[IpNet], request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let now = self.clock.now();
        let (parts, body) = request.into_parts();
        if !front.ip.is_some_and(|ip| fronts.iter().any(|listed| listed.contains(&ip.to_canonical()))) {
            let unlisted = Problem::new(StatusCode::FORBIDDEN, "front_not_listed", "Only listed proxies may ask here.");
            return Trail::open(self, &parts.method, &parts.headers, front, now).close(Err(unlisted)).await;
        }
        if parts.uri.path() == CHECK {
            return ext_authz::check(self, &parts, body, front, now).await;
        }
        let original = Original::of(&parts, front);
        let client = original.as_ref().map_or(front, |original| &original.client);
        let mut trail = Trail::open(self, &parts.method, &parts.headers, client, now);
        let answer = match &original {
            Ok(original) => self.decide_for(original, now, &mut trail).await.map(|decided| match decided {
                Decided::May(identity) => permitted(original, identity.as_deref()),
                Decided::Answered(answer) => answer,
            }),
            Err(problem) => Err(problem.clone()),
        };
        let dialect = original.map_or(Dialect::Forwarded, |original| original.dialect);
        dialect.fitted(trail.close(answer).await)
    }

    /// The decision about a request that a front holds.
    async fn decide_for(&self, original: &Original, now: Timestamp, trail: &mut Trail<'_>) -> Result<Decided, Problem> {
        trail.of_host(&original.authority);
        let head = Head::new(&original.method, &original.target, &original.authority, &original.headers);
        if let Some(answer) = terms::before(self, &head, &original.client, now, trail)? {
            let unanswerable =
                || Problem::new(StatusCode::FORBIDDEN, "preflight_at_front", "The proxy in front must answer preflights itself.");
            return if original.dialect == Dialect::Envoy { Ok(Decided::Answered(answer)) } else { Err(unanswerable()) };
        }
        let permitted = self.permit(&head, &original.client, now, trail).await?;
        terms::after(self, permitted.get(), now, trail, &head)?;
        forward::identity(self, permitted.get(), now, trail).map(Decided::May)
    }
}

/// What becomes of a request that a front holds.
enum Decided {
    /// It may pass, with this identity.
    May(Option<Arc<IdentityToken>>),
    /// It is a preflight, which bears no credential. Envoy alone answers with a 204 instead of letting it pass.
    Answered(Response<Body>),
}

/// RFC 9110 section 15.3.1: it may pass, as the identity says.
fn permitted(original: &Original, identity: Option<&IdentityToken>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(identity.map(|identity| (header::AUTHORIZATION, identity.authorization().clone())));
    headers.extend(cookies(&original.headers).map(|cookies| (header::COOKIE, cookies)));
    if original.dialect == Dialect::Envoy {
        let names = removed(&original.headers, identity.is_some()).join(",");
        headers.extend(HeaderValue::try_from(names).ok().filter(|names| !names.is_empty()).map(|names| (TO_REMOVE, names)));
    }
    response
}

/// The client's cookies without the gateway's own; none when none is left.
fn cookies(headers: &HeaderMap) -> Option<HeaderValue> {
    let cookies = strip::cookies(headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes))?;
    HeaderValue::from_bytes(&cookies).ok()
}

/// The fields that the client sent and the service is not to see; `Authorization` is replaced where there is an identity.
fn removed(headers: &HeaderMap, identified: bool) -> Vec<&str> {
    let kept = |name: &str| PROXYS_OWN.contains(&name) || (identified && name == "authorization");
    let goes = |name: &&str| if *name == "cookie" { cookies(headers).is_none() } else { strip::is_reserved(name) && !kept(name) };
    headers.keys().map(HeaderName::as_str).filter(goes).collect()
}

/// What the front itself says or needs: its own word, or its connection's.
const PROXYS_OWN: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
    "x-envoy-expected-rq-timeout-ms",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

fn bad(code: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, detail)
}

/// A field that must stand once at most.
fn once<'a>(parts: &'a Parts, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = parts.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(|value| value.to_str().unwrap_or_default())),
        _ => Err(bad("front_ambiguous", "What the front says of the request can be read in more than one way.")),
    }
}
