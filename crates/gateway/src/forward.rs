//! Step 6. Upstream with the gateway's own word for who is calling, and back.

pub(crate) mod head;
pub(crate) mod strip;

use std::sync::Arc;

use axum::body::Body;
use durward_base::Timestamp;
use durward_enforce::{IdentityIssuer, IdentityToken, Permitted, without_key};
use durward_model::event::StepName;
use durward_net::http1::Tunnel;
use durward_net::{Incoming, Problem};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::Body as _;

use crate::accept::{Accepted, Client};
use crate::cors;
use crate::decide::Passage;
use crate::gateway::Gateway;
use crate::grpc;
use crate::lifetime::{Lifetime, Mortal};
use crate::record::Trail;
use crate::refusal::upstream_problem;
use crate::terms;
use crate::upgrade;
use crate::upstream::{Exchanged, Outgoing, Payload, Upload, UpstreamBody, UpstreamError};
use head::Said;

/// The request as it came, once it may pass.
pub(crate) struct Passing<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) accepted: &'a Accepted<'a>,
    pub(crate) body: Incoming,
    pub(crate) client: &'a Client,
    pub(crate) now: Timestamp,
}

/// Sends a permitted request upstream and hands back what comes.
pub(crate) async fn forward(
    gateway: &Gateway,
    permitted: Permitted<Passage>,
    passing: Passing<'_>,
    trail: &mut Trail<'_>,
) -> Result<Response<Body>, Problem> {
    let Passing { parts, accepted, body, client, now } = passing;
    let body = if grpc::is_call(parts) { body.unhurried() } else { body };
    let identity = identity(gateway, permitted.get(), now, trail)?;
    let Passage { route, verified, asked } = permitted.into_inner();
    // Few answers go on: what that takes is made for them alone.
    let lifetime = |is_endless| Lifetime::of(gateway, verified.as_ref(), (asked.as_deref(), client), is_endless);
    // HTTP/2 frames its bodies itself and need not say how long they are.
    let framing = accepted.framing.or_else(|| (!body.is_end_stream()).then_some(Upload::Chunked));
    if accepted.upgrade.is_some() && verified.is_some() {
        upgrade::must_be_of_this_origin(parts, accepted.authority)?;
    }
    let upstream = gateway.upstreams.of(&route);
    let key_in_url = route.resource().api_key_in_url;
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let target = if key_in_url { without_key(target) } else { target.into() };
    let target = terms::rewritten(&route, &target)?;
    let said = Said {
        target: &target,
        key_in_url,
        authority: accepted.authority,
        client,
        identity: identity.as_deref().map(|token| token.authorization()),
        request: &trail.request,
        traceparent: trail.traceparent(),
        withheld: [&route.resource().withhold, &gateway.withhold],
        framing,
        upgrade: accepted.upgrade,
    };
    let head = |host: &str| head::write(parts, host, &said);
    let payload = Payload::of(&parts.method, body, framing, upstream.timeouts().idle).await.map_err(|error| upstream_problem(&error))?;
    let outgoing = Outgoing { head: &head, method: &parts.method, payload, upgrade: accepted.upgrade, is_repeated: false };
    // A body may go on for as long as it likes before there is an answer, but not for longer than its credential.
    let is_streamed = matches!(outgoing.payload, Payload::Streamed(..));
    let ended = async { Box::pin(lifetime(grpc::is_call(parts)).ended()).await };
    let Exchanged { host, before, answer } = tokio::select! {
        biased;
        exchanged = upstream.exchange(outgoing) => exchanged,
        () = ended, if is_streamed => return Err(upstream_problem(&UpstreamError::CredentialEnded)),
    };
    trail.step(StepName::Upstream);
    trail.forwarded(host, before);
    let mut response = answer.map_err(|error| {
        trail.edit(|event| event.say(error.to_string()));
        upstream_problem(&error)
    })?;
    head::strip_answer(response.headers_mut());
    if verified.is_some() && !parts.headers.contains_key(header::AUTHORIZATION) {
        head::keep_private(response.headers_mut());
    }
    if route.resource().cors.is_some() {
        cors::take_out(response.headers_mut());
    }
    if key_in_url {
        response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    }
    Ok(passed_on(response, lifetime, accepted.upgrade))
}

/// What goes back to the client: a tunnel, what is whole, or a stream that ends with its credential.
fn passed_on(mut response: Response<UpstreamBody>, lifetime: impl Fn(bool) -> Lifetime, upgrade: Option<&str>) -> Response<Body> {
    if let (Some(switched), Some(protocol)) = (response.body_mut().switched(), upgrade.and_then(|name| HeaderValue::from_str(name).ok())) {
        let lifetime = lifetime(true);
        response.headers_mut().insert(header::UPGRADE, protocol);
        response.extensions_mut().insert(Tunnel::new(move |client| upgrade::tunnel(client, switched, lifetime)));
        return response.map(Body::new);
    }
    if !response.body().is_streaming() {
        return response.map(Body::new);
    }
    let content = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let farewell = grpc::is_grpc(response.headers()).then(grpc::credential_ended);
    let is_endless = farewell.is_some() || content.is_some_and(|content| content.starts_with(b"text/event-stream"));
    response.map(|body| Body::new(Mortal::new(body, lifetime(is_endless), farewell)))
}

/// The gateway's word for who is calling; none where nobody known is.
pub(crate) fn identity(
    gateway: &Gateway,
    passage: &Passage,
    now: Timestamp,
    trail: &mut Trail<'_>,
) -> Result<Option<Arc<IdentityToken>>, Problem> {
    let Passage { route, verified, .. } = passage;
    let token = match verified {
        Some(verified) => {
            let issuer: &IdentityIssuer = &gateway.identity;
            let token = issuer.token(verified, route.service(), &route.resource().identity_type, now, &gateway.rng);
            let token = token.map_err(|error| unsigned(&error))?;
            trail.edit(|event| event.issued = Some(token.jti().to_owned()));
            Some(token)
        }
        None => None,
    };
    trail.step(StepName::Identity);
    Ok(token)
}

fn unsigned(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "an identity token could not be signed");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "identity_unsigned",
        "Something went wrong here; the request id names it in the audit record.",
    )
}
