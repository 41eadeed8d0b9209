//! One host: its kept-alive connections, and what is known of it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use durward_base::{Duration, Timestamp};
use durward_enforce::UpstreamHost;
use durward_model::resource::{HealthCheck, Route};
use http::Response;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

use super::connection::Connection;
use super::exchange::{Outgoing, Ticket};
use super::standing::Standing;
use super::stream::Stream;
use super::{UpstreamBody, UpstreamError, UpstreamTls, http2, stream};

/// Kept-alive connections a host.
const IDLE_CONNECTIONS: usize = 256;

/// What makes a host one and the same for two routes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct HostKey {
    pub(super) host: UpstreamHost,
    pub(super) tls: Option<String>,
    pub(super) server_name: Option<String>,
    pub(super) health_check: Option<HealthCheck>,
}

impl HostKey {
    pub(super) fn new(host: &UpstreamHost, route: &Route) -> Self {
        let (tls, server_name) = (route.upstream_tls.clone(), route.upstream_name.clone());
        Self { host: host.clone(), tls, server_name, health_check: route.health_check.clone() }
    }
}

/// How a host stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpstreamStatus {
    /// `host:port`.
    pub host: Arc<str>,
    /// Requests under way.
    pub in_flight: u32,
    /// Kept-alive connections without a request.
    pub idle: usize,
    /// Requests that it failed, or answered with 5xx.
    pub failures: u64,
    /// Those of them that were sent again.
    pub retries: u64,
    /// Whether it is passed over because it failed too often.
    pub is_ejected: bool,
    /// Whether its health check failed.
    pub is_ill: bool,
}

impl UpstreamStatus {
    pub(super) fn add(&mut self, other: Self) {
        self.host = other.host;
        self.in_flight += other.in_flight;
        self.idle += other.idle;
        self.failures += other.failures;
        self.retries += other.retries;
        self.is_ejected |= other.is_ejected;
        self.is_ill |= other.is_ill;
    }
}

/// One host of an upstream.
pub(super) struct Host {
    name: String,
    port: u16,
    /// `host:port`, the `Host` it is sent.
    pub(super) authority: Arc<str>,
    /// None over plain HTTP; why not, when TLS cannot be had.
    tls: Option<Result<(UpstreamTls, ServerName<'static>), String>>,
    idle: Mutex<Vec<Connection>>,
    is_http2: bool,
    pub(super) http2: http2::Shared,
    in_flight: AtomicU32,
    pub(super) standing: Standing,
}

impl Host {
    pub(super) fn new(key: &HostKey, tls: Option<Result<UpstreamTls, String>>) -> Self {
        let name = key.server_name.as_ref().unwrap_or(&key.host.host);
        let tls = tls.map(|tls| {
            let server_name = ServerName::try_from(name.clone()).map_err(|_| format!("{name:?} is no name that a certificate can be for"));
            Ok((tls?, server_name?))
        });
        Self {
            name: key.host.host.clone(),
            port: key.host.port,
            authority: Arc::clone(&key.host.authority),
            tls,
            idle: Mutex::default(),
            is_http2: key.host.is_http2,
            http2: http2::Shared::default(),
            in_flight: AtomicU32::new(0),
            standing: Standing::default(),
        }
    }

    /// Requests under way.
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Sends a request and takes the answer's head. A request without effect is repeated once on a new connection, when the kept-alive one
    /// it went out on turns out to have been closed.
    pub(super) async fn exchange(ticket: Ticket, request: &mut Outgoing<'_>) -> Result<Response<UpstreamBody>, UpstreamError> {
        let (host, timeouts) = (&ticket.host, ticket.upstream.timeouts);
        let head = (request.head)(&host.authority);
        if host.is_http2 {
            return Box::pin(http2::exchange(ticket, &head, request)).await;
        }
        if let Some(kept) = host.kept() {
            match kept.exchange(&head, request, timeouts).await {
                Err(UpstreamError::Closed | UpstreamError::Broken(_)) if request.may_be_repeated() => request.is_repeated = true,
                answered => return answered.map(|answered| UpstreamBody::begin(answered, ticket)),
            }
        }
        let answered = Box::pin(host.connect(timeouts.connect)).await?.exchange(&head, request, timeouts).await?;
        Ok(UpstreamBody::begin(answered, ticket))
    }

    /// A new connection.
    pub(super) async fn connect(&self, limit: Duration) -> Result<Connection, UpstreamError> {
        Ok(Connection::new(match self.open(limit).await? {
            Stream::Plain(stream) => stream::plain(stream),
            Stream::Tls(stream) => stream::secured(*stream),
        }))
    }

    /// The stream of a new connection.
    pub(super) async fn open(&self, limit: Duration) -> Result<Stream, UpstreamError> {
        let opening = async {
            let stream = TcpStream::connect((self.name.as_str(), self.port)).await.map_err(UpstreamError::Connect)?;
            stream.set_nodelay(true).map_err(UpstreamError::Connect)?;
            Ok(match &self.tls {
                None => Stream::Plain(stream),
                Some(Ok((tls, name))) => {
                    let connector = if self.is_http2 { tls.connector_http2() } else { tls.connector() };
                    let secured = connector.connect(name.clone(), stream).await;
                    Stream::Tls(Box::new(secured.map_err(UpstreamError::Tls)?))
                }
                Some(Err(reason)) => return Err(UpstreamError::TlsSettings(reason.clone())),
            })
        };
        tokio::time::timeout(limit, opening).await.map_err(|_| UpstreamError::ConnectTimeout(limit))?
    }

    /// Whether it is spoken to in HTTP/2.
    pub(super) const fn is_http2(&self) -> bool {
        self.is_http2
    }

    /// Whether it is spoken to over TLS.
    pub(super) const fn is_tls(&self) -> bool {
        self.tls.is_some()
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

    pub(super) fn keep(&self, mut connection: Connection) {
        connection.rest();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(connection);
        }
    }

    /// Closes connections that have been idle too long.
    pub(super) fn sweep(&self, limit: Duration) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).retain(|kept| kept.is_fresh(limit));
    }

    pub(super) fn status(&self, now: Timestamp) -> UpstreamStatus {
        UpstreamStatus {
            host: Arc::clone(&self.authority),
            in_flight: self.in_flight(),
            idle: self.idle.lock().unwrap_or_else(PoisonError::into_inner).len(),
            failures: self.standing.failures.load(Ordering::Relaxed),
            retries: self.standing.retries.load(Ordering::Relaxed),
            is_ejected: self.standing.is_ejected(now),
            is_ill: self.standing.is_ill(),
        }
    }
}
