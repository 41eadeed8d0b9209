//! The listeners: bound before anything else, so that every address is known when it is first named.

use anyhow::Context as _;
use durward_net::Bound;
use durward_pki::ServerName;
use serde::Serialize;
use std::net::SocketAddr;

use crate::configuration::Settings;

/// Where a server listens.
#[derive(Debug, Clone, Serialize)]
pub struct Addresses {
    /// The gateway, when it runs.
    pub gateway: Option<SocketAddr>,
    /// The gateway in plain HTTP, when it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain: Option<SocketAddr>,
    /// What proxies in front ask, when it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fronts: Option<SocketAddr>,
    /// The authority.
    pub authority: SocketAddr,
    /// The authority, for clients with certificates, when it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutual_tls: Option<SocketAddr>,
    /// Probes and metrics.
    pub operations: SocketAddr,
    /// Nodes.
    pub nodes: SocketAddr,
}

/// Bound, not yet serving.
pub struct Listeners {
    /// The gateway's.
    pub gateway: Option<Bound>,
    /// The gateway's in plain HTTP.
    pub plain: Option<Bound>,
    /// What proxies in front ask.
    pub fronts: Option<Bound>,
    /// The authority's.
    pub authority: Bound,
    /// The authority's, for clients with certificates.
    pub mutual_tls: Option<Bound>,
    /// The operations listener.
    pub operations: Bound,
    /// The nodes'.
    pub nodes: Bound,
}

impl Listeners {
    /// Binds every address of the settings.
    pub async fn bind(settings: &Settings) -> anyhow::Result<Self> {
        let listen = &settings.listen;
        let (is_enabled, behind) = (settings.gateway.enabled, &settings.gateway.fronts);
        let gateway = if is_enabled { Some(bind("gateway", listen.gateway).await?) } else { None };
        let plain = match listen.plain.filter(|_| is_enabled) {
            Some(address) => Some(bind("plain", address).await?.behind(behind.clone())),
            None => None,
        };
        let mutual_tls = match listen.mutual_tls {
            Some(address) => Some(bind("mutual_tls", address).await?),
            None => None,
        };
        let fronts = match listen.fronts.filter(|_| is_enabled) {
            Some(address) => Some(bind("fronts", address).await?),
            None => None,
        };
        Ok(Self {
            gateway: if settings.gateway.proxy_protocol { gateway.map(|bound| bound.behind(behind.clone())) } else { gateway },
            plain,
            mutual_tls,
            fronts,
            authority: bind("authority", listen.authority).await?,
            operations: bind("operations", listen.operations).await?,
            nodes: bind("nodes", listen.nodes).await?,
        })
    }

    /// What was bound.
    pub fn addresses(&self) -> anyhow::Result<Addresses> {
        let address = |bound: &Bound| bound.address().context("a listener has no address");
        Ok(Addresses {
            gateway: self.gateway.as_ref().map(address).transpose()?,
            plain: self.plain.as_ref().map(address).transpose()?,
            fronts: self.fronts.as_ref().map(address).transpose()?,
            authority: address(&self.authority)?,
            mutual_tls: self.mutual_tls.as_ref().map(address).transpose()?,
            operations: address(&self.operations)?,
            nodes: address(&self.nodes)?,
        })
    }
}

async fn bind(name: &str, address: SocketAddr) -> anyhow::Result<Bound> {
    Bound::tcp(address)
        .await
        .with_context(|| format!("listen.{name}: cannot listen on {address}: choose another port, or 0 for a free one"))
}

/// The `Host` values a listener answers for: every name of the certificate with and without its port, and the public URL's own.
pub fn hosts(names: &[ServerName<'static>], port: u16, public_url: &str) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    for name in names {
        let name = match name {
            ServerName::IpAddress(address) => match std::net::IpAddr::from(*address) {
                std::net::IpAddr::V6(address) => format!("[{address}]"),
                std::net::IpAddr::V4(address) => address.to_string(),
            },
            name => name.to_str().into_owned(),
        };
        hosts.push(format!("{name}:{port}"));
        hosts.push(name);
    }
    hosts.extend(public_url.strip_prefix("https://").map(str::to_owned));
    hosts
}
