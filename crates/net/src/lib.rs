//! Binds every listener and makes every outbound call: TLS, timeouts, graceful shutdown, the `Endpoint` table.

mod acme_challenges;
mod client;
mod client_certificate;
mod crowd;
mod egress;
mod endpoint;
mod hop;
pub mod http1;
mod http2;
mod listener;
mod listener_tls;
mod metrics;
mod named_certificates;
mod own_answers;
mod pace;
mod peer;
mod problem;
mod prompt;
mod proxy_protocol;
mod rate;
mod record;
mod requested_name;
mod surface;
mod target;
mod tls;
mod unserved;

pub use acme_challenges::AcmeChallenges;
pub use client::{Client, ClientError, Connection, Origin, Pool};
pub use client_certificate::{PeerCertificate, Vouch};
pub use egress::{Egress, GuardedError};
pub use endpoint::{Endpoint, Endpoints};
pub use hop::{HOP_TARGET, Hop};
pub use http1::{Answer, BodyError, Incoming, Refused};
pub use listener::{Bound, Limits, serve};
pub use listener_tls::ListenerTls;
pub use metrics::HttpMetrics;
pub use named_certificates::{NamedCertificate, NamedCertificates};
pub use own_answers::StrictTransport;
pub use peer::Peer;
pub use problem::{Asked, Problem};
pub use proxy_protocol::{Proxied, ProxyError};
pub use rate::Rates;
pub use record::{Record, RecordError, Recorder};
pub use requested_name::RequestedName;
pub use rustls::ServerConfig;
pub use rustls_pki_types::CertificateDer;
pub use surface::{Gate, Open, Surface, SurfaceConnection, SurfaceSettings};
pub use tls::{ServerIdentity, TlsError, Trust, certificates, provider};
pub use unserved::{Unserved, Windows};

/// Cancelled once, when the process is to end: every listener stops accepting and finishes what it has begun.
pub type Shutdown = tokio_util::sync::CancellationToken;
