//! RFC 9112, the client's side: exchanges with upstreams over kept-alive HTTP/1.1 connections.
//!
//! Our own codec, because the connection is driven by the task of the request it serves (no channel, no second task), and because an
//! upstream's answer is a place to smuggle from: what is framed twice, or not at all, is 502 and the connection is gone.

mod body;
mod connection;
mod head;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use durward_base::Duration;
use durward_net::Incoming;
use http::{Method, Response};

pub(crate) use body::{Switched, UpstreamBody};
use connection::Connection;
pub(crate) use connection::Upload;

/// Kept-alive connections an upstream.
const IDLE_CONNECTIONS: usize = 256;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamTimeouts {
    /// To a connection.
    pub connect: Duration,
    /// From the request's last byte to the answer's head.
    pub answer: Duration,
    /// Without a byte in either direction, and of a kept-alive connection without a request.
    pub idle: Duration,
}

impl Default for UpstreamTimeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), answer: Duration::from_secs(60), idle: Duration::from_secs(60) }
    }
}

/// Why an upstream gave no answer that can be passed on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// The route's upstream is none.
    #[error("the upstream `{0}` is not of the form host:port")]
    Address(String),
    #[error("no connection to the upstream: {0}")]
    Connect(#[source] io::Error),
    #[error("no connection to the upstream within {0:?}")]
    ConnectTimeout(Duration),
    #[error("the upstream closed the connection before it answered")]
    Closed,
    #[error("the connection to the upstream failed: {0}")]
    Broken(#[source] io::Error),
    #[error("no answer from the upstream within {0:?}")]
    AnswerTimeout(Duration),
    #[error("the upstream's answer breaks HTTP: {0}")]
    Malformed(&'static str),
    /// Not the upstream's fault: the credential was revoked, or its time was over, while the answer went on.
    #[error("the credential that the answer was for counts no more")]
    CredentialEnded,
    /// Not the upstream's fault: the request's own body ended early or was no HTTP.
    #[error("the request's body could not be read")]
    RequestBody,
}

impl UpstreamError {
    /// The stable reason for the audit.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Address(_) => "upstream_address",
            Self::Connect(_) | Self::ConnectTimeout(_) => "upstream_unreachable",
            Self::Closed | Self::Broken(_) => "upstream_closed",
            Self::AnswerTimeout(_) => "upstream_timeout",
            Self::Malformed(_) => "upstream_malformed",
            Self::CredentialEnded => "credential_ended",
            Self::RequestBody => "request_body",
        }
    }
}

/// A request as it goes out: its head as bytes, complete with its framing and the empty line.
pub(crate) struct Outgoing<'a> {
    pub(crate) head: &'a [u8],
    pub(crate) method: &'a Method,
    pub(crate) body: Option<(Incoming, Upload)>,
    /// The protocol that the connection is to go on with, if the upstream agrees.
    pub(crate) upgrade: Option<&'a str>,
}

impl Outgoing<'_> {
    /// RFC 9110 section 9.2.2: "A client SHOULD NOT automatically retry a request with a non-idempotent method".
    const fn may_be_repeated(&self) -> bool {
        self.body.is_none() && matches!(*self.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
    }
}

/// All upstreams, by their `host:port`.
pub(crate) struct Upstreams {
    timeouts: UpstreamTimeouts,
    pools: RwLock<HashMap<Box<str>, Arc<Upstream>>>,
}

impl Upstreams {
    pub(crate) fn new(timeouts: UpstreamTimeouts) -> Self {
        Self { timeouts, pools: RwLock::default() }
    }

    /// The upstream at `host:port`.
    pub(crate) fn at(&self, address: &str) -> Result<Arc<Upstream>, UpstreamError> {
        if let Some(pool) = self.pools.read().unwrap_or_else(PoisonError::into_inner).get(address) {
            return Ok(Arc::clone(pool));
        }
        let upstream = Arc::new(Upstream::new(address, self.timeouts)?);
        let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(pools.entry(address.into()).or_insert(upstream)))
    }

    /// Closes connections that have been idle too long, so that an upstream no route names any more leaves nothing open.
    pub(crate) fn sweep(&self) {
        for pool in self.pools.read().unwrap_or_else(PoisonError::into_inner).values() {
            pool.idle.lock().unwrap_or_else(PoisonError::into_inner).retain(|kept| kept.is_fresh(self.timeouts.idle));
        }
    }
}

/// One upstream and its kept-alive connections.
pub(crate) struct Upstream {
    host: String,
    port: u16,
    /// `host:port`, the `Host` it is sent.
    pub(crate) authority: String,
    timeouts: UpstreamTimeouts,
    idle: Mutex<Vec<Connection>>,
}

impl Upstream {
    fn new(address: &str, timeouts: UpstreamTimeouts) -> Result<Self, UpstreamError> {
        let wrong = || UpstreamError::Address(address.to_owned());
        let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port, authority: address.to_owned(), timeouts, idle: Mutex::default() })
    }

    /// Sends a request and takes the answer's head. A request without effect is repeated once on a new connection, when the kept-alive one
    /// it went out on turns out to have been closed.
    pub(crate) async fn exchange(self: &Arc<Self>, mut request: Outgoing<'_>) -> Result<Response<UpstreamBody>, UpstreamError> {
        if let Some(kept) = self.kept() {
            let body = request.body.take();
            let had_body = body.is_some();
            match kept.exchange(self, &request, body).await {
                Err(UpstreamError::Closed | UpstreamError::Broken(_)) if !had_body && request.may_be_repeated() => {}
                answered => return answered,
            }
        }
        let body = request.body.take();
        self.connect().await?.exchange(self, &request, body).await
    }

    async fn connect(&self) -> Result<Connection, UpstreamError> {
        let limit = self.timeouts.connect;
        let connected = tokio::time::timeout(limit, Connection::open(&self.host, self.port)).await;
        connected.map_err(|_| UpstreamError::ConnectTimeout(limit))?.map_err(UpstreamError::Connect)
    }

    fn kept(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(mut connection) = idle.pop() {
            if connection.is_silent() {
                return Some(connection);
            }
        }
        None
    }

    fn keep(&self, mut connection: Connection) {
        connection.rest();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(connection);
        }
    }
}

#[cfg(test)]
mod tests;
