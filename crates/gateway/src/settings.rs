//! What a gateway is told when it starts.

use durward_model::resource::Mode;
use durward_net::{Limits, StrictTransport};
use rustls::pki_types::CertificateDer;
use url::Url;

use crate::upstream::UpstreamSettings;

/// What a gateway is told.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Its name: `gateway/{name}` in events, `{public_url}/gateways/{name}` as an issuer.
    pub name: String,
    /// Where the world reaches it, without a trailing slash: `https://api.example`. A DPoP proof must name it; with none, none can.
    pub public_url: Option<Url>,
    /// For how long browsers are told to come by TLS alone, in answers of the gateway's own.
    pub strict_transport: StrictTransport,
    /// Bounds on what connections may cost.
    pub limits: Limits,
    /// What holds for upstreams.
    pub upstreams: UpstreamSettings,
    /// What becomes of requests that may not pass, on routes that do not say.
    pub mode: Mode,
    /// The certificates of proxies in front, whose word about their clients is believed.
    pub fronts: Vec<CertificateDer<'static>>,
    /// Fields of clients that no upstream is to see, besides those that could say who calls and those that a route withholds.
    pub withhold: Vec<String>,
    /// How many bytes verified credentials may take.
    pub credential_cache: usize,
}

impl GatewaySettings {
    /// A gateway of this name with the usual limits.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            public_url: None,
            strict_transport: StrictTransport::default(),
            limits: Limits::default(),
            upstreams: UpstreamSettings::default(),
            mode: Mode::Enforce,
            fronts: Vec::new(),
            withhold: Vec::new(),
            credential_cache: durward_enforce::DEFAULT_BYTES,
        }
    }
}
