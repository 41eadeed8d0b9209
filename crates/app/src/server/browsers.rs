//! The gateway in this process as the client that people log in to.

use std::net::SocketAddr;

use anyhow::Context as _;
use durward_base::Duration;
use durward_enforce::realm_issuer;
use durward_gateway::{BrowserSettings, Gateway};
use durward_net::{Client, Trust};
use durward_seal::{RootKey, StateKeys};

use crate::configuration::{BrowserSessions, resolve};

/// How this process reaches the authority.
pub struct Authority<'a> {
    /// As browsers do.
    pub public_url: &'a str,
    /// Where it listens.
    pub address: SocketAddr,
    /// What vouches for it.
    pub trust_pem: &'a str,
}

/// The gateway, with the sessions that are asked for.
pub fn with_sessions(gateway: Gateway, sessions: &[BrowserSessions], authority: &Authority<'_>, root: &RootKey) -> anyhow::Result<Gateway> {
    if sessions.is_empty() {
        return Ok(gateway);
    }
    let settings =
        sessions.iter().enumerate().map(|(index, session)| settings(index, session, authority)).collect::<anyhow::Result<_>>()?;
    let http = Client::new(Some(Trust::from_pem(authority.trust_pem.as_bytes())?));
    Ok(gateway.with_browsers(settings, StateKeys::of_gateways(root), http))
}

fn settings(index: usize, session: &BrowserSessions, authority: &Authority<'_>) -> anyhow::Result<BrowserSettings> {
    let BrowserSessions { realm, client, secret, idle_minutes } = session;
    let what = format!("gateway.sessions[{index}]");
    anyhow::ensure!((1..=1440).contains(idle_minutes), "{what}.idle_minutes: {idle_minutes}: expected 1 to 1440");
    Ok(BrowserSettings {
        issuer: realm_issuer(authority.public_url, realm),
        reached_at: realm_issuer(&authority.reached_at(), realm),
        realm: realm.clone(),
        client: client.clone(),
        secret: resolve(secret, &format!("{what}.secret")).with_context(|| what)?,
        idle: Duration::from_secs(u64::from(*idle_minutes) * 60),
    })
}

impl Authority<'_> {
    /// By the shortest way that its certificate is for.
    fn reached_at(&self) -> String {
        let local = self.address.ip().is_loopback() || self.address.ip().is_unspecified();
        if local { format!("https://localhost:{}", self.address.port()) } else { self.public_url.to_owned() }
    }
}
