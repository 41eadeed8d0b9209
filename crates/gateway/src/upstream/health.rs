//! Active health checks: a host is asked now and then whether it is well, in HTTP/1.1 or HTTP/2, and by the GRPC Health Checking Protocol. On a
//! connection of its own, since a question must not wait for a stream behind all that is under way (RFC 9113 section 5.1.2).

use std::sync::Arc;

use bytes::Bytes;
use durward_base::Duration;
use durward_model::resource::HealthCheck;
use http::{Method, Response};
use http_body_util::Collected;

use super::host::Host;
use super::{UpstreamTimeouts, http2};

/// Checks that fail in a row before a host is held to be ill: one may be lost.
const FAILURES: u32 = 2;
/// The method of gRPC's own check.
const GRPC_CHECK: &str = "/grpc.health.v1.Health/Check";
/// A message of no bytes: the whole server is asked about, not one of its services.
const WHOLE_SERVER: &[u8] = &[0, 0, 0, 0, 0];
/// The message of two bytes whose `status` is `SERVING`.
const SERVING: &[u8] = &[0, 0, 0, 0, 2, 0x08, 1];

/// Asks a host for as long as somebody has it.
pub(super) fn watch(host: &Arc<Host>, check: HealthCheck, timeouts: UpstreamTimeouts) {
    let watched = Arc::downgrade(host);
    tokio::spawn(async move {
        let (mut failures, connection) = (0, http2::Shared::default());
        while let Some(host) = watched.upgrade() {
            let is_well = if host.is_http2() {
                is_well_in_http2((&host, &connection), &check.path, timeouts).await
            } else {
                is_well(&host, &check.path, timeouts).await
            };
            failures = if is_well { 0 } else { failures + 1 };
            let is_ill = failures >= FAILURES;
            if host.standing.set_ill(is_ill) {
                tracing::warn!(host = &*host.authority, is_ill, "what the health check of an upstream says has changed");
            }
            drop(host);
            tokio::time::sleep(Duration::from_secs(check.interval_seconds.into())).await;
        }
    });
}

async fn is_well(host: &Host, path: &str, timeouts: UpstreamTimeouts) -> bool {
    let Ok(mut connection) = host.connect(timeouts.connect).await else { return false };
    let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nuser-agent: durward\r\nconnection: close\r\n\r\n", host.authority);
    let answer = connection.send(head.as_bytes(), (&Method::GET, None), timeouts.answer).await;
    answer.is_ok_and(|head| head.status.is_success())
}

async fn is_well_in_http2(at: (&Host, &http2::Shared), path: &str, timeouts: UpstreamTimeouts) -> bool {
    let head = |method, more| format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nuser-agent: durward\r\n{more}\r\n", at.0.authority);
    if path == GRPC_CHECK {
        let head = head("POST", "content-type: application/grpc\r\n");
        let answer = http2::ask(at, head.as_bytes(), Bytes::from_static(WHOLE_SERVER), timeouts).await;
        return answer.is_some_and(is_serving);
    }
    let answer = http2::ask(at, head("GET", "").as_bytes(), Bytes::new(), timeouts).await;
    answer.is_some_and(|answer| answer.status().is_success())
}

/// A call has come to its end with status 0 in the trailers, and the one message says that it is serving.
fn is_serving(answer: Response<Collected<Bytes>>) -> bool {
    let is_answered = answer.status().is_success();
    let body = answer.into_body();
    let is_ok = body.trailers().and_then(|trailers| trailers.get("grpc-status")).is_some_and(|status| status == "0");
    is_answered && is_ok && body.to_bytes() == SERVING
}
