//! The gateway in this process as the client that people log in to.

use std::net::SocketAddr;

use anyhow::Context as _;
use durward_base::{Clock, Duration};
use durward_enforce::realm_issuer;
use durward_gateway::{BrowserSettings, ForeignProvider, Gateway};
use durward_net::{Client, Egress, Trust};
use durward_node::KeySets;
use durward_seal::{BrowserMarks, RootKey, StateKeys};

use crate::configuration::{BrowserSessions, resolve};

/// How this process reaches the authority.
pub struct Authority<'a> {
    /// As browsers do.
    pub public_url: &'a str,
    /// Where it listens.
    pub address: SocketAddr,
    /// What vouches for it.
    pub trust_pem: &'a str,
    /// The guarded way out, to other providers.
    pub egress: &'a Egress,
    /// Time.
    pub clock: &'a Clock,
}

/// The gateway, with the sessions that are asked for.
pub fn with_sessions(gateway: Gateway, sessions: &[BrowserSessions], authority: &Authority<'_>, root: &RootKey) -> anyhow::Result<Gateway> {
    if sessions.is_empty() {
        return Ok(gateway);
    }
    let settings =
        sessions.iter().enumerate().map(|(index, session)| settings(index, session, authority)).collect::<anyhow::Result<_>>()?;
    let http = Client::new(Some(Trust::from_pem(authority.trust_pem.as_bytes())?));
    Ok(gateway.with_browsers(settings, (StateKeys::of_gateways(root), BrowserMarks::of_gateways(root)), http))
}

fn settings(index: usize, session: &BrowserSessions, authority: &Authority<'_>) -> anyhow::Result<BrowserSettings> {
    let BrowserSessions { realm, issuer, client, secret, idle_minutes, service, scopes } = session;
    let what = format!("gateway.sessions[{index}]");
    anyhow::ensure!((1..=1440).contains(idle_minutes), "{what}.idle_minutes: {idle_minutes}: expected 1 to 1440");
    let foreign = match (issuer, service) {
        (None, None) => None,
        (None, Some(_)) => anyhow::bail!("{what}.service: the client at the authority says which: leave it out, or name the issuer"),
        (Some(_), None) => anyhow::bail!("{what}.service: expected the service that sessions of another issuer are for"),
        (Some(_), Some(service)) => Some(ForeignProvider {
            service: service.clone(),
            scopes: scopes.clone(),
            egress: authority.egress.clone(),
            key_sets: KeySets::new(authority.egress.clone(), authority.clock.clone()),
        }),
    };
    Ok(BrowserSettings {
        issuer: issuer.clone().unwrap_or_else(|| realm_issuer(authority.public_url, realm)),
        foreign,
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
