//! The gateway in this process as the client that people log in to.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use durward_base::{Clock, Duration, Rng, base64url};
use durward_enforce::realm_issuer;
use durward_gateway::{BrowserSettings, ForeignProvider, Gateway};
use durward_model::resource::SecretReference;
use durward_net::{Client, Egress, Trust};
use durward_node::KeySets;
use durward_seal::{BrowserMarks, RootKey, StateKeys};

use super::root::write_private;
use crate::configuration::{BrowserSessions, Settings, resolve};

/// The client that the gateway is where the settings name none. It counts once it is declared.
pub const OWN_CLIENT: &str = "gateway";
/// The file of that client's secret, in the data directory.
pub const OWN_SECRET: &str = "gateway.secret";

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

/// The gateway, with the sessions that the settings ask for, or those of its own client.
pub fn with_sessions(
    gateway: Gateway,
    all: &Settings,
    authority: &Authority<'_>,
    (root, rng): (&RootKey, &Rng),
) -> anyhow::Result<Gateway> {
    let sessions = match all.gateway.sessions.as_slice() {
        [] => &[own(&all.data, rng)?],
        declared => declared,
    };
    let settings =
        sessions.iter().enumerate().map(|(index, session)| settings(index, session, authority)).collect::<anyhow::Result<_>>()?;
    let http = Client::new(Some(Trust::from_pem(authority.trust_pem.as_bytes())?));
    Ok(gateway.with_browsers(settings, (StateKeys::of_gateways(root), BrowserMarks::of_gateways(root)), http))
}

/// The sessions of the gateway's own client, whose secret is made at the first start.
fn own(data: &Path, rng: &Rng) -> anyhow::Result<BrowserSessions> {
    let file = data.join(OWN_SECRET);
    if !file.exists() {
        write_private(&file, base64url::encode(&rng.bytes::<32>()).as_bytes())?;
    }
    Ok(BrowserSessions::of(OWN_CLIENT, SecretReference::File(file.display().to_string())))
}

fn settings(index: usize, session: &BrowserSessions, authority: &Authority<'_>) -> anyhow::Result<BrowserSettings> {
    let BrowserSessions { realm, issuer, client, secret, idle_minutes, scopes, .. } = session;
    let what = format!("gateway.sessions[{index}]");
    let foreign = foreign_service(index, session)?.map(|service| ForeignProvider {
        service: service.to_owned(),
        scopes: scopes.clone(),
        egress: authority.egress.clone(),
        key_sets: KeySets::new(authority.egress.clone(), authority.clock.clone()),
    });
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

/// The service of sessions that another issuer begins; none where the realm itself logs its people in.
///
/// # Errors
/// Settings that contradict each other.
pub fn foreign_service(index: usize, session: &BrowserSessions) -> anyhow::Result<Option<&str>> {
    let (what, minutes) = (format!("gateway.sessions[{index}]"), session.idle_minutes);
    anyhow::ensure!((1..=1440).contains(&minutes), "{what}.idle_minutes: {minutes}: expected 1 to 1440");
    match (&session.issuer, &session.service) {
        (None, None) => Ok(None),
        (None, Some(_)) => anyhow::bail!("{what}.service: the client at the authority says which: leave it out, or name the issuer"),
        (Some(_), None) => anyhow::bail!("{what}.service: expected the service that sessions of another issuer are for"),
        (Some(_), Some(service)) => Ok(Some(service)),
    }
}

impl Authority<'_> {
    /// By the shortest way that its certificate is for.
    fn reached_at(&self) -> String {
        let local = self.address.ip().is_loopback() || self.address.ip().is_unspecified();
        if local { format!("https://localhost:{}", self.address.port()) } else { self.public_url.to_owned() }
    }
}
