//! Active health checks: a host is asked now and then whether it is well, on a connection of its own.

use std::sync::Arc;

use durward_base::Duration;
use durward_model::resource::HealthCheck;
use http::Method;

use super::UpstreamTimeouts;
use super::host::Host;

/// Checks that fail in a row before a host is held to be ill: one may be lost.
const FAILURES: u32 = 2;

/// Asks a host for as long as somebody has it.
pub(super) fn watch(host: &Arc<Host>, check: HealthCheck, timeouts: UpstreamTimeouts) {
    let watched = Arc::downgrade(host);
    tokio::spawn(async move {
        let mut failures = 0;
        while let Some(host) = watched.upgrade() {
            failures = if is_well(&host, &check.path, timeouts).await { 0 } else { failures + 1 };
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
