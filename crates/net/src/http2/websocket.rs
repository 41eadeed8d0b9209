//! RFC 8441: WebSocket on one stream of HTTP/2. It is asked for and answered as over HTTP/1.1 (RFC 6455) by whoever answers requests here.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use durward_base::Rng;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::ext::Protocol;
use hyper_util::rt::TokioIo;

use super::traffic::{Call, Counted};
use crate::http1::Tunnel;
use crate::{Answer, Incoming, Shutdown};

/// Section 4: `:method` is `CONNECT`, `:protocol` is `websocket`.
pub(super) fn is_asked_for<B>(request: &Request<B>) -> bool {
    let protocol = request.extensions().get::<Protocol>();
    request.method() == Method::CONNECT && protocol.is_some_and(|protocol| protocol.as_str().eq_ignore_ascii_case("websocket"))
}

/// Section 5: "the Sec-WebSocket-Key and Sec-WebSocket-Accept header fields" are not for HTTP/2, and 200 is what 101 was.
pub(super) async fn answer<H: Answer>(
    handler: Arc<H>,
    mut request: Request<hyper::body::Incoming>,
    rng: &Rng,
    (call, shutdown): (Call, Shutdown),
) -> Response<Counted<H::Body>> {
    let upgraded = hyper::upgrade::on(&mut request);
    let (mut parts, _) = request.into_parts();
    (parts.method, parts.version) = (Method::GET, Version::HTTP_11);
    let host = parts.uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host.filter(|_| !parts.headers.contains_key(header::HOST)) {
        parts.headers.insert(header::HOST, host);
    }
    parts.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    parts.headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(key) = HeaderValue::try_from(STANDARD.encode(rng.bytes::<16>())) {
        parts.headers.insert(header::SEC_WEBSOCKET_KEY, key);
    }
    let mut response = handler.answer(Request::from_parts(parts, Incoming::empty())).await;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return response.map(|body| Counted::new(body, call));
    }
    *response.status_mut() = StatusCode::OK;
    for name in [header::CONNECTION, header::UPGRADE, header::SEC_WEBSOCKET_ACCEPT] {
        response.headers_mut().remove(name);
    }
    if let Some(tunnel) = response.extensions_mut().remove::<Tunnel>() {
        tokio::spawn(async move {
            // The call is over with its tunnel, not with its answer.
            let _call = call;
            if let Ok(stream) = upgraded.await {
                shutdown.run_until_cancelled(Box::pin(tunnel.run(TokioIo::new(stream), BytesMut::new()))).await;
            }
        });
    }
    response.map(Counted::uncounted)
}
