//! Envoy's `envoy.service.auth.v3.Authorization/Check` over gRPC: one message in, one out (the gRPC protocol over HTTP/2).

use std::time::Duration;

use axum::body::Body;
use bytes::{BufMut as _, Bytes, BytesMut};
use durward_base::Timestamp;
use durward_enforce::IdentityToken;
use durward_net::Problem;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use http_body_util::{BodyExt as _, Full, Limited};
use prost::Message as _;

use super::messages::attribute_context::HttpRequest;
use super::messages::check_response::HttpResponse;
use super::messages::header_value_option::HeaderAppendAction;
use super::messages::{CheckRequest, CheckResponse, DeniedHttpResponse, HeaderValueOption, HttpStatus, OkHttpResponse, Status};
use super::original::{Dialect, Original, checked};
use super::{Decided, bad, cookies, removed};
use crate::accept::Client;
use crate::gateway::Gateway;
use crate::record::Trail;

/// The longest question, in bytes; Envoy sends no body of the request unless it is told to.
const LONGEST: usize = 256 * 1024;
/// How long a question may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// `google.rpc.Code`.
const OK: i32 = 0;
const PERMISSION_DENIED: i32 = 7;

/// Answers a question. Whatever goes wrong with it is a denial, never an error that a front might be set to let pass (GWID-011).
pub(super) async fn check<B>(gateway: &Gateway, parts: &Parts, body: B, front: &Client, now: Timestamp) -> Response<Body>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let asked = match tokio::time::timeout(PATIENCE, Limited::new(body, LONGEST).collect()).await {
        Ok(Ok(body)) => read(&body.to_bytes()),
        _ => Err(bad("front_malformed", "The question did not come in time, or is too long.")),
    };
    let client = asked.as_ref().map_or(front, |original| &original.client);
    let mut trail = Trail::open(gateway, &parts.method, &parts.headers, client, now);
    let (answer, passes) = match &asked {
        Ok(original) => match gateway.decide_for(original, now, &mut trail).await {
            Ok(Decided::May(identity)) => (Ok(Response::new(Body::empty())), Some((original, identity))),
            Ok(Decided::Answered(answer)) => (Ok(answer), None),
            Err(problem) => (Err(problem), None),
        },
        Err(problem) => (Err(problem.clone()), None),
    };
    let closed = trail.close(answer).await;
    let response = match passes {
        Some((original, identity)) if closed.status().is_success() => allowed(original, identity.as_deref(), closed.headers()),
        _ => denied(closed).await,
    };
    framed(&response)
}

/// One message, not compressed: a flag, its length, itself.
fn read(body: &[u8]) -> Result<Original, Problem> {
    let malformed = || bad("front_malformed", "The question is not one gRPC message.");
    let (prefix, message) = body.split_at_checked(5).ok_or_else(malformed)?;
    let [0, length @ ..] = prefix else { return Err(malformed()) };
    let length: [u8; 4] = length.try_into().map_err(|_| malformed())?;
    if usize::try_from(u32::from_be_bytes(length)).ok() != Some(message.len()) {
        return Err(malformed());
    }
    let asked = CheckRequest::decode(message).map_err(|_| malformed())?.attributes.ok_or_else(malformed)?;
    let address = asked.source.and_then(|peer| peer.address?.socket_address).and_then(|address| address.address.parse().ok());
    let HttpRequest { method, headers, path, host, scheme, .. } = asked.request.and_then(|request| request.http).ok_or_else(malformed)?;
    let mut fields = HeaderMap::with_capacity(headers.len());
    // What Envoy says itself begins with a colon or is its own; a field that came twice is joined with a comma, which no credential survives.
    for (name, value) in headers.iter().filter(|(name, _)| !name.starts_with(':')) {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed())?;
        fields.insert(name, HeaderValue::from_str(value).map_err(|_| malformed())?);
    }
    checked((&method, &path, Some(&host), Some(&scheme)), fields, address, Dialect::Envoy)
}

fn allowed(original: &Original, identity: Option<&IdentityToken>, headers: &HeaderMap) -> CheckResponse {
    let authorization = identity.map(|identity| (header::AUTHORIZATION, identity.authorization()));
    let request = headers.get("x-request-id").map(|id| (HeaderName::from_static("x-request-id"), id));
    let said = authorization.into_iter().chain(request).map(|(name, value)| option(&name, value));
    let cookies = cookies(&original.headers).map(|cookies| option(&header::COOKIE, &cookies));
    let ok = OkHttpResponse {
        headers: said.chain(cookies).collect(),
        headers_to_remove: removed(&original.headers, identity.is_some()).into_iter().map(str::to_owned).collect(),
    };
    let status = Some(Status { code: OK, message: String::new() });
    CheckResponse { status, http_response: Some(HttpResponse::OkResponse(ok)) }
}

/// The answer as the client is to see it.
async fn denied(refusal: Response<Body>) -> CheckResponse {
    let (parts, body) = refusal.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let headers = parts.headers.iter().filter(|(name, _)| **name != header::CONNECTION).map(|(name, value)| option(name, value));
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus { code: parts.status.as_u16().into() }),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let status = Some(Status { code: PERMISSION_DENIED, message: String::new() });
    CheckResponse { status, http_response: Some(HttpResponse::DeniedResponse(denied)) }
}

fn option(name: &HeaderName, value: &HeaderValue) -> HeaderValueOption {
    let header = super::messages::HeaderValue { key: name.to_string(), value: String::from_utf8_lossy(value.as_bytes()).into_owned() };
    HeaderValueOption { header: Some(header), append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into() }
}

fn framed(response: &CheckResponse) -> Response<Body> {
    let length = response.encoded_len();
    let mut message = BytesMut::with_capacity(length + 5);
    message.put_u8(0);
    message.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    // A `BytesMut` has room for any message.
    let _ = response.encode(&mut message);
    let trailers = HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
    let body = Full::new(message.freeze()).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}
