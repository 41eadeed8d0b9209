//! Listeners: bind, accept for ever, serve HTTP/1.1 and HTTP/2 with limits, finish what was begun at shutdown.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use durward_base::Duration;
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::task::TaskTracker;

use crate::crowd::Crowd;
use crate::http1::{self, Allowances, Answer};
use crate::unserved::{self, Unserved};
use crate::{ListenerTls, Peer, PeerCertificate, Shutdown, http2, proxy_protocol};

/// Bounds on what a connection may cost before its request is understood.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time; more wait in the kernel's queue.
    pub connections: usize,
    /// Those of one address among them (one /64 of IPv6); more are closed. This machine's own are not counted.
    pub connections_per_address: usize,
    /// Time for the TLS handshake, and for a request's head.
    pub head: Duration,
    /// Time without a byte within a body or an answer, and between requests.
    pub idle: Duration,
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
        Self {
            connections: 16_384,
            connections_per_address: 1_024,
            head: 10 * second,
            idle: 60 * second,
            head_bytes: 32 * 1024,
            streams: 128,
            drain: 10 * second,
        }
    }
}

/// A bound listener.
#[derive(Debug)]
pub enum Bound {
    /// On an address. What comes from these networks comes from proxies in front.
    Tcp(TcpListener, Vec<IpNet>),
    /// On a path.
    Unix(UnixListener),
}

impl Bound {
    /// Binds an address; port 0 takes a free one.
    pub async fn tcp(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::Tcp(TcpListener::bind(address).await?, Vec::new()))
    }

    /// The same behind proxies in these networks, each of whose connections must begin with the PROXY protocol.
    #[must_use]
    pub fn behind(self, fronts: Vec<IpNet>) -> Self {
        match self {
            Self::Tcp(listener, _) => Self::Tcp(listener, fronts),
            unix @ Self::Unix(_) => unix,
        }
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
            Self::Tcp(listener, _) => listener.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }
}

/// Serves until shutdown, then waits up to `Limits::drain` for what was begun. `service` makes what answers one connection.
pub async fn serve<M, H>(bound: Bound, tls: Option<ListenerTls>, limits: Limits, unserved: Unserved, shutdown: Shutdown, service: M)
where
    M: Fn(Peer) -> H + Send + Sync + 'static,
    H: Answer,
{
    let slots = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let crowd = Crowd::of(limits.connections_per_address);
    let listener = Arc::new(Listener { tls, limits, crowd, unserved, service, shutdown });
    let mut settling = tokio::time::interval(unserved::WINDOW);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&bound, &slots) => accepted,
            _ = settling.tick() => {
                listener.unserved.settle(false);
                continue;
            }
            () = listener.shutdown.cancelled() => break,
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
        let listener = Arc::clone(&listener);
        connections.spawn(async move {
            let _slot = slot;
            let mut peer = peer;
            if let Err(reason) = listener.connection(stream, &mut peer).await {
                listener.unserved.ended(peer.address, reason);
            }
        });
    }
    drop(bound);
    connections.close();
    if timeout(limits.drain, connections.wait()).await.is_err() {
        tracing::warn!("requests that did not end in time were cut off");
    }
    listener.unserved.settle(true);
}

/// What all connections of a listener share.
struct Listener<M> {
    tls: Option<ListenerTls>,
    limits: Limits,
    crowd: Arc<Crowd>,
    unserved: Unserved,
    service: M,
    shutdown: Shutdown,
}

impl<M, H> Listener<M>
where
    M: Fn(Peer) -> H,
    H: Answer,
{
    /// Serves a connection until it ends; `Err` says why it did when it never brought a request. Handshakes and HTTP/2 are boxed, so that a
    /// connection which waits for a request is small.
    async fn connection(&self, stream: Stream, peer: &mut Peer) -> Result<(), &'static str> {
        let stream = match stream {
            Stream::Unix(stream) => {
                self.http1(stream, peer).await;
                return Ok(());
            }
            Stream::Tcp(stream) => stream,
            Stream::Front(mut stream) => {
                // A front that only looks whether somebody listens says nothing.
                let Some(proxied) = Box::pin(proxy_protocol::take(&mut stream, self.limits.head)).await? else { return Ok(()) };
                peer.address = proxied.client.or(peer.address);
                peer.tls = !proxied.in_the_clear;
                stream
            }
        };
        let _place = self.crowd.admit(peer.ip())?;
        let Some(tls) = &self.tls else {
            // RFC 9113 section 3.3: over TCP, a client that knows of it begins HTTP/2 at once.
            let mut start = [0; 4];
            let begun = timeout(self.limits.head, stream.peek(&mut start)).await;
            if begun.is_ok_and(|begun| begun.is_ok()) {
                if &start == b"PRI " {
                    return Box::pin(http2::serve(stream, (self.service)(peer.clone()), self.limits, &self.unserved.rng, &self.shutdown))
                        .await;
                }
                self.http1(stream, peer).await;
            }
            return Ok(());
        };
        let Some(stream) = Box::pin(self.handshake(tls, stream)).await? else { return Ok(()) };
        let session = stream.get_ref().1;
        peer.certificate = session.peer_certificates().and_then(|chain| PeerCertificate::proved(chain.to_vec()));
        peer.requested = session.server_name().and_then(|name| tls.requested(name)).map(Arc::new);
        peer.tls = true;
        if session.alpn_protocol() == Some(b"h2") {
            return Box::pin(http2::serve(stream, (self.service)(peer.clone()), self.limits, &self.unserved.rng, &self.shutdown)).await;
        }
        self.http1(stream, peer).await;
        Ok(())
    }

    async fn handshake(&self, tls: &ListenerTls, stream: TcpStream) -> Result<Option<Box<TlsStream<TcpStream>>>, &'static str> {
        match timeout(self.limits.head, tls.accept(stream)).await {
            Ok(Ok(stream)) => Ok(stream.map(Box::new)),
            Ok(Err(error)) => Err(unserved::of_handshake(&error)),
            Err(_) => Err("tls.too_slow"),
        }
    }

    fn http1<I>(&self, stream: I, peer: &Peer) -> impl Future<Output = ()>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Limits { head, idle, head_bytes, .. } = self.limits;
        let allowances = Allowances { head_bytes, head, idle, clock: self.unserved.clock.clone() };
        http1::serve(stream, (self.service)(peer.clone()), allowances, &self.shutdown)
    }
}

enum Stream {
    Tcp(TcpStream),
    /// Of a proxy in front.
    Front(TcpStream),
    Unix(tokio::net::UnixStream),
}

async fn accept(bound: &Bound, slots: &Arc<Semaphore>) -> io::Result<(Stream, tokio::sync::OwnedSemaphorePermit, Peer)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    match bound {
        Bound::Tcp(listener, fronts) => {
            let (stream, address) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let peer = Peer { address: Some(address), ..Peer::default() };
            let is_front = peer.ip().is_some_and(|ip| fronts.iter().any(|front| front.contains(&ip)));
            Ok((if is_front { Stream::Front(stream) } else { Stream::Tcp(stream) }, slot, peer))
        }
        Bound::Unix(listener) => {
            let (stream, _) = listener.accept().await?;
            let uid = Some(stream.peer_cred()?.uid());
            Ok((Stream::Unix(stream), slot, Peer { uid, ..Peer::default() }))
        }
    }
}
