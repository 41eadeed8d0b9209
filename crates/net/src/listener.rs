//! Listeners: bind, accept for ever, serve HTTP/1.1 and HTTP/2 with limits, finish what was begun at shutdown.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use durward_base::Duration;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::unserved::{self, Unserved};
use crate::{Peer, PeerCertificate, Shutdown};

/// Bounds on what a connection may cost before its request is understood.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time; more wait in the kernel's queue.
    pub connections: usize,
    /// Time for the TLS handshake, and for a request's head.
    pub head: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Requests at a time on one HTTP/2 connection.
    pub streams: u32,
    /// Time to finish what was begun, at shutdown.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self { connections: 16_384, head: 10 * second, head_bytes: 32 * 1024, streams: 128, drain: 10 * second }
    }
}

/// A bound listener.
#[derive(Debug)]
pub enum Bound {
    /// On an address.
    Tcp(TcpListener),
    /// On a path.
    Unix(UnixListener),
}

impl Bound {
    /// Binds an address; port 0 takes a free one.
    pub async fn tcp(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::Tcp(TcpListener::bind(address).await?))
    }

    /// Binds a path that only its owner may open, replacing a socket left behind.
    pub fn unix(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self::Unix(listener))
    }

    /// The address it listens on, when it has one.
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }
}

/// Serves until shutdown, then waits up to `Limits::drain` for what was begun. `service` makes the service of one connection.
pub async fn serve<M, S, B>(
    bound: Bound,
    tls: Option<Arc<ServerConfig>>,
    limits: Limits,
    unserved: Unserved,
    shutdown: Shutdown,
    service: M,
) where
    M: Fn(Peer) -> S + Send + Sync + 'static,
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let slots = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let (unserved, service) = (Arc::new(unserved), Arc::new(service));
    let mut settling = tokio::time::interval(unserved::WINDOW);
    let acceptor = tls.map(TlsAcceptor::from);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&bound, &slots) => accepted,
            _ = settling.tick() => {
                unserved.settle(false);
                continue;
            }
            () = shutdown.cancelled() => break,
        };
        let (stream, slot, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or the peer left: neither ends the listener, and neither may spin it.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let (service, acceptor, watcher, unserved) = (Arc::clone(&service), acceptor.clone(), graceful.watcher(), Arc::clone(&unserved));
        tokio::spawn(async move {
            let _slot = slot;
            let address = peer.address;
            let served = match (stream, acceptor) {
                (Stream::Tcp(stream), Some(acceptor)) => match tokio::time::timeout(limits.head, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => {
                        let certificate = stream.get_ref().1.peer_certificates();
                        let certificate = certificate.and_then(|chain| PeerCertificate::proved(chain.to_vec()));
                        let service = service(Peer { tls: true, certificate, ..peer });
                        connection(TokioIo::new(stream), limits, service, watcher).await
                    }
                    Ok(Err(error)) => Err(unserved::of_handshake(&error)),
                    Err(_) => Err("tls.too_slow"),
                },
                (Stream::Tcp(stream), None) => connection(TokioIo::new(stream), limits, service(peer), watcher).await,
                (Stream::Unix(stream), _) => connection(TokioIo::new(stream), limits, service(peer), watcher).await,
            };
            if let Err(reason) = served {
                unserved.ended(address, reason);
            }
        });
    }
    drop(bound);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests that did not end in time were cut off");
    }
    unserved.settle(true);
}

enum Stream {
    Tcp(TcpStream),
    Unix(tokio::net::UnixStream),
}

async fn accept(bound: &Bound, slots: &Arc<Semaphore>) -> io::Result<(Stream, tokio::sync::OwnedSemaphorePermit, Peer)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    match bound {
        Bound::Tcp(listener) => {
            let (stream, address) = listener.accept().await?;
            stream.set_nodelay(true)?;
            Ok((Stream::Tcp(stream), slot, Peer { address: Some(address), ..Peer::default() }))
        }
        Bound::Unix(listener) => {
            let (stream, _) = listener.accept().await?;
            let uid = Some(stream.peer_cred()?.uid());
            Ok((Stream::Unix(stream), slot, Peer { uid, ..Peer::default() }))
        }
    }
}

/// Serves a connection until it ends; `Err` says why it did when its head could not be read.
async fn connection<I, S, B>(io: I, limits: Limits, service: S, watcher: Watcher) -> Result<(), &'static str>
where
    I: Read + Write + Unpin + Send + 'static,
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(limits.head_bytes.max(8192)).half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .keep_alive_timeout(limits.head);
    let connection = builder.serve_connection(io, service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
        if unserved::is_malformed(&*error) {
            return Err("http.malformed");
        }
    }
    Ok(())
}
