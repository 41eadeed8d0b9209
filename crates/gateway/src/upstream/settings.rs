//! What a gateway is told of upstreams in general; a route may say otherwise.

use durward_base::Duration;
use durward_model::resource::Timeouts;

use super::UpstreamTls;

/// What holds for upstreams.
#[derive(Debug, Clone)]
pub struct UpstreamSettings {
    /// How long things may take.
    pub timeouts: UpstreamTimeouts,
    /// How many requests of a route may be under way at a time.
    pub max_in_flight: u32,
    /// TLS that routes may ask for by name.
    pub tls: Vec<UpstreamTls>,
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self { timeouts: UpstreamTimeouts::default(), max_in_flight: 10_000, tls: Vec::new() }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpstreamTimeouts {
    /// To a connection, TLS included.
    pub connect: Duration,
    /// From the request's last byte to the answer's head.
    pub answer: Duration,
    /// Without a byte in either direction, and of a kept-alive connection without a request.
    pub idle: Duration,
}

impl Default for UpstreamTimeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), answer: Duration::from_secs(10), idle: Duration::from_secs(60) }
    }
}

impl UpstreamTimeouts {
    /// The same where a route says nothing else.
    pub(super) fn for_route(self, route: &Timeouts) -> Self {
        let time = |ms: Option<u32>, usual| ms.map_or(usual, |ms| Duration::from_millis(ms.into()));
        Self {
            connect: time(route.connect_ms, self.connect),
            answer: time(route.answer_ms, self.answer),
            idle: time(route.idle_ms, self.idle),
        }
    }
}
