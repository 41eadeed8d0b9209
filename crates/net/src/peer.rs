//! The other end of a connection, as the kernel, TLS and listed proxies in front know it; never as a request's fields say.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::{PeerCertificate, RequestedName};

/// The other end of a connection.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// Its address; none on a Unix socket.
    pub address: Option<SocketAddr>,
    /// Its user id, on a Unix socket.
    pub uid: Option<u32>,
    /// Whether the connection is encrypted: up to here, or up to a listed proxy in front.
    pub tls: bool,
    /// The certificate whose key it proved, where it was asked for one and has one.
    pub certificate: Option<PeerCertificate>,
    /// The name it asked for in the handshake, where the certificate depends on it.
    pub requested: Option<Arc<RequestedName>>,
}

impl Peer {
    /// Its IP address.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.map(|address| address.ip().to_canonical())
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}
