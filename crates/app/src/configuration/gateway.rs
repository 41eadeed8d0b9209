//! What `durward.yaml` says of the gateway in the process.

use std::path::PathBuf;

use durward_model::resource::{Mode, SecretReference};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::upstreams::{UpstreamTimeouts, UpstreamTls};

/// The gateway in this process.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GatewaySettings {
    /// Its name, part of the issuer of its identity tokens.
    pub name: String,
    /// Where clients reach it: `https://api.example`. `https://localhost:PORT` of its listener when absent.
    pub public_url: Option<String>,
    /// Whether clients are asked for a certificate, so that tokens bound to one are good here. Browsers ask people when they are asked.
    pub client_certificates: bool,
    /// Whether connections to `listen.gateway` end in the handshake when the client shows no certificate that an authority of
    /// `client_authorities` or a registered client vouches for. Proxies of `front_certificates` come in with theirs.
    pub client_certificates_required: bool,
    /// What becomes of requests that may not pass, on routes that name no `mode`: `enforce` refuses them, `observe` lets them pass and puts on record
    /// why they would not.
    pub mode: Mode,
    /// The networks of the proxies in front, whose word about requests is believed.
    #[schemars(with = "Vec<String>")]
    pub fronts: Vec<IpNet>,
    /// Whether those proxies begin their connections to `listen.gateway`, too, with the PROXY protocol: they must then, and nobody else may.
    pub proxy_protocol: bool,
    /// Certificates of proxies in front that speak TLS to `listen.gateway`, as files in PEM: what they say in `X-Forwarded-For` and
    /// `X-Forwarded-Proto` is believed.
    pub front_certificates: Vec<PathBuf>,
    /// Fields of clients that no service is to see, besides those that could say who calls and those that a route withholds.
    pub withhold: Vec<String>,
    /// How long upstreams may take, where a route says nothing else.
    pub timeouts: UpstreamTimeouts,
    /// How many requests of a route may be under way at a time before more are answered with 503, where it says nothing else.
    pub max_in_flight: u32,
    /// How much memory the credentials verified lately may take, in MiB, 1 at least: one that is in use takes about 3 KiB, one that came once 100
    /// bytes. The rest is verified again when it comes back.
    pub credential_cache_mib: u32,
    /// TLS to upstreams, for the routes that name it.
    pub upstream_tls: Vec<UpstreamTls>,
    /// Who may vouch for clients whose certificates are a way in (`accept: [client_certificate]`), beside those that clients are registered with.
    /// Clients are asked for one where `client_certificates` says so.
    pub client_authorities: Vec<ClientAuthorities>,
    /// People who log in with browsers: one realm a line. Where there is none, those of the realm `main` and its client `gateway`, whose secret is
    /// made in `data`.
    pub sessions: Vec<BrowserSessions>,
    /// Whether it runs.
    pub enabled: bool,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        let loopback = IpNet::from(std::net::IpAddr::from([127, 0, 0, 1]));
        Self {
            name: "main".to_owned(),
            public_url: None,
            client_certificates: false,
            client_certificates_required: false,
            mode: Mode::Enforce,
            fronts: vec![loopback],
            proxy_protocol: false,
            front_certificates: Vec::new(),
            withhold: Vec::new(),
            timeouts: UpstreamTimeouts::default(),
            max_in_flight: 10_000,
            credential_cache_mib: 16,
            upstream_tls: Vec::new(),
            client_authorities: Vec::new(),
            sessions: Vec::new(),
            enabled: true,
        }
    }
}

/// Authorities for the certificates of clients.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientAuthorities {
    /// The realm they vouch in.
    #[serde(default = "main_realm")]
    pub realm: String,
    /// Their roots, as a file of certificates in PEM.
    pub roots: PathBuf,
    /// The SPIFFE trust domain whose ids they give to workloads; none when absent.
    #[serde(default)]
    pub trust_domain: Option<String>,
    /// What they have taken back: a file a list, in PEM. With any, a certificate whose issuer has no current list does not count.
    #[serde(default)]
    pub revocation_lists: Vec<PathBuf>,
}

/// The logins of one realm's people with browsers. Routes that accept `browser_session` send them there.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrowserSessions {
    /// The realm.
    #[serde(default = "main_realm")]
    pub realm: String,
    /// Who logs its people in: the realm itself when absent, else any OpenID provider, which a trusted issuer is declared for.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The client that the gateway is there: confidential, with `GATEWAY/.durward/callback` among its redirect URIs, or
    /// `GATEWAY/.durward/callback/REALM` at another provider.
    pub client: String,
    /// Its secret, by `${NAME}` or `file:PATH`.
    pub secret: SecretReference,
    /// How long a session may lie unused, in minutes; a day at most.
    #[serde(default = "idle_minutes")]
    pub idle_minutes: u32,
    /// With `issuer`: the service that the sessions are for.
    #[serde(default)]
    pub service: Option<String>,
    /// With `issuer`: the scopes to ask it for.
    #[serde(default = "openid")]
    pub scopes: Vec<String>,
}

fn openid() -> Vec<String> {
    vec!["openid".to_owned()]
}

impl BrowserSessions {
    /// Those of this client in the realm `main`, as long as by default.
    pub fn of(client: &str, secret: SecretReference) -> Self {
        Self {
            realm: main_realm(),
            issuer: None,
            client: client.to_owned(),
            secret,
            idle_minutes: idle_minutes(),
            service: None,
            scopes: openid(),
        }
    }
}

fn main_realm() -> String {
    durward_oauth::builtin::MAIN_REALM.to_owned()
}

const fn idle_minutes() -> u32 {
    8 * 60
}
