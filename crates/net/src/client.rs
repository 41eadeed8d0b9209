//! Outbound HTTP/1.1: one pool of kept-alive connections, every call bounded in time and size.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use durward_base::Duration;
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body::Body;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Trust;

/// Time to a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// Kept-alive connections per origin.
const IDLE: usize = 64;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL names no host, or a scheme other than http and https.
    #[error("not a URL this can call: expected http://host or https://host")]
    Url,
    /// An https origin without roots to trust.
    #[error("an https origin, but no trusted roots were given")]
    NoTrust,
    /// No connection.
    #[error("cannot connect to {origin}: {cause}")]
    Connect {
        /// The origin.
        origin: String,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// The connection failed while in use.
    #[error("the exchange failed: {0}")]
    Exchange(#[source] hyper::Error),
    /// It took too long.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The answer's body is larger than the caller takes.
    #[error("the answer's body failed or is larger than {0} bytes")]
    Body(usize),
}

/// Scheme, host and port: what a connection is kept for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    tls: bool,
    host: Arc<str>,
    port: u16,
}

impl Origin {
    /// The origin of a URL.
    pub fn of(uri: &Uri) -> Result<Self, ClientError> {
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(ClientError::Url),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(ClientError::Url)?;
        Ok(Self { tls, host: host.into(), port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }) })
    }

    /// The `Host` header for it.
    pub fn authority(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => self.host.to_string(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}:{}", if self.tls { "https" } else { "http" }, self.host, self.port)
    }
}

/// Kept-alive connections whose request bodies are of type `B`.
pub struct Pool<B> {
    trust: Option<Trust>,
    idle: Mutex<HashMap<Origin, Vec<SendRequest<B>>>>,
}

/// A connection out of the pool. Give it back with `Pool::keep` once its answer's head has come.
pub struct Connection<B> {
    sender: SendRequest<B>,
    /// Whether it was kept alive: the peer may have closed it meanwhile, and a request without effect may be tried on a new one.
    pub reused: bool,
}

impl<B> Connection<B>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// Sends a request in origin form and waits for the answer's head.
    pub async fn send(&mut self, request: Request<B>) -> Result<Response<Incoming>, ClientError> {
        self.sender.send_request(request).await.map_err(ClientError::Exchange)
    }
}

impl<B> Pool<B>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// A pool that trusts these roots for https.
    pub fn new(trust: Option<Trust>) -> Self {
        Self { trust, idle: Mutex::default() }
    }

    /// A kept-alive connection if there is one, else a new one.
    pub async fn connection(&self, origin: &Origin) -> Result<Connection<B>, ClientError> {
        loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).get_mut(origin).and_then(Vec::pop);
            match kept {
                Some(mut sender) if !sender.is_closed() => {
                    if sender.ready().await.is_ok() {
                        return Ok(Connection { sender, reused: true });
                    }
                }
                Some(_) => {}
                None => return self.connect(origin).await,
            }
        }
    }

    /// A new connection.
    pub async fn connect(&self, origin: &Origin) -> Result<Connection<B>, ClientError> {
        let failed = |cause| ClientError::Connect { origin: origin.to_string(), cause };
        let address = (bare(&origin.host), origin.port);
        let stream =
            tokio::time::timeout(CONNECT, TcpStream::connect(address)).await.map_err(|_| ClientError::Timeout(CONNECT))?.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let sender = if origin.tls {
            over_tls(self.trust.as_ref().ok_or(ClientError::NoTrust)?, &origin.host, stream).await?
        } else {
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(ClientError::Exchange)?;
            tokio::spawn(connection);
            sender
        };
        Ok(Connection { sender, reused: false })
    }

    /// Keeps a connection for the next request; it waits by itself until its present answer has been read.
    pub fn keep(&self, origin: &Origin, connection: Connection<B>) {
        if connection.sender.is_closed() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = match idle.get_mut(origin) {
            Some(kept) => kept,
            None => idle.entry(origin.clone()).or_default(),
        };
        if kept.len() < IDLE {
            kept.push(connection.sender);
        }
    }
}

/// HTTP/1.1 over TLS on a stream that stands.
pub(crate) async fn over_tls<B>(trust: &Trust, host: &str, stream: TcpStream) -> Result<SendRequest<B>, ClientError>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let name = ServerName::try_from(bare(host).to_owned()).map_err(|_| ClientError::Url)?;
    let handshake = TlsConnector::from(trust.config()).connect(name, stream);
    let stream = tokio::time::timeout(CONNECT, handshake)
        .await
        .map_err(|_| ClientError::Timeout(CONNECT))?
        .map_err(|cause| ClientError::Connect { origin: format!("https://{host}"), cause })?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(ClientError::Exchange)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// An IPv6 address stands in brackets in a URL, and nowhere else.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// A client for whole requests and whole answers, and for streams.
#[derive(Clone)]
pub struct Client {
    pool: Arc<Pool<Full<Bytes>>>,
    timeout: Duration,
}

impl Client {
    /// A client that trusts these roots for https and waits ten seconds at most.
    pub fn new(trust: Option<Trust>) -> Self {
        Self { pool: Arc::new(Pool::new(trust)), timeout: Duration::from_secs(10) }
    }

    /// Sends a request whose URI is absolute and reads the answer whole, up to `limit` bytes.
    pub async fn call(&self, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>, ClientError> {
        let exchange = async {
            let (origin, connection, response) = self.exchange(request).await?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, limit).collect().await.map_err(|_| ClientError::Body(limit))?.to_bytes();
            self.pool.keep(&origin, connection);
            Ok(Response::from_parts(parts, body))
        };
        tokio::time::timeout(self.timeout, exchange).await.map_err(|_| ClientError::Timeout(self.timeout))?
    }

    /// Sends a request whose URI is absolute and hands out the answer as it comes; only its head is bounded in time.
    pub async fn stream(&self, request: Request<Bytes>) -> Result<Response<Incoming>, ClientError> {
        let exchange = self.exchange(request);
        let (_, _, response) = tokio::time::timeout(self.timeout, exchange).await.map_err(|_| ClientError::Timeout(self.timeout))??;
        Ok(response)
    }

    /// One exchange; once more on a new connection when a kept-alive one turns out to be closed before anything came back.
    async fn exchange(&self, request: Request<Bytes>) -> Result<(Origin, Connection<Full<Bytes>>, Response<Incoming>), ClientError> {
        let origin = Origin::of(request.uri())?;
        let (mut parts, body) = request.into_parts();
        parts.uri = parts.uri.path_and_query().map_or_else(|| Uri::from_static("/"), |target| Uri::from(target.clone()));
        let host = HeaderValue::try_from(origin.authority()).map_err(|_| ClientError::Url)?;
        parts.headers.insert(header::HOST, host);
        let mut connection = self.pool.connection(&origin).await?;
        match connection.send(Request::from_parts(parts.clone(), Full::new(body.clone()))).await {
            Err(ClientError::Exchange(error)) if connection.reused && (error.is_canceled() || error.is_closed()) => {
                let mut connection = self.pool.connect(&origin).await?;
                let response = connection.send(Request::from_parts(parts, Full::new(body))).await?;
                Ok((origin, connection, response))
            }
            sent => Ok((origin, connection, sent?)),
        }
    }
}
