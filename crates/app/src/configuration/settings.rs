//! `durward.yaml`: listeners, addresses, store, seal, telemetry. Every key has a safe default; unknown keys are errors.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use durward_base::Secret;
use durward_model::resource::SecretReference;
use durward_net::Limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Acme, ConfigurationError, GatewaySettings};

/// The file that is read when none is named.
pub const HERE: &str = "durward.yaml";

/// The process's settings.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where browsers and clients reach the authority; issuers begin with it. `https://localhost:PORT` of its listener when absent.
    pub public_url: Option<String>,
    /// Where clients with certificates reach it, as `mtls_endpoint_aliases` say; the host of `public_url` at the port of `listen.mutual_tls` when
    /// absent.
    pub mutual_tls_public_url: Option<String>,
    /// The directory of everything this process keeps.
    pub data: PathBuf,
    /// The key that opens the root key: a file beside `data`, never in it. `DATA.seal` when absent.
    pub seal: Option<PathBuf>,
    /// Where to listen.
    pub listen: Listen,
    /// The gateway in this process.
    pub gateway: GatewaySettings,
    /// Further host names and addresses the certificate is for.
    pub names: Vec<String>,
    /// Certificates that somebody else issued: a client that asks for a name one of them is for sees that one. The nodes' listener shows our own.
    pub certificates: Vec<CertificateFiles>,
    /// Certificates obtained and renewed by ACME (RFC 8555), shown in the same way.
    pub acme: Acme,
    /// For how many seconds browsers that were here come back by TLS alone (`Strict-Transport-Security`); 0 tells them nothing. A year with
    /// `certificates` or public `acme`, where `public_url` names a domain; nothing else when absent.
    pub strict_transport_seconds: Option<u32>,
    /// Where the ledger is kept.
    pub store: StoreChoice,
    /// A directory of resources applied at start and at each reload (SIGHUP).
    pub resources: Option<PathBuf>,
    /// A file in MaxMind's format (GeoLite2 City or Country and their like): where addresses are, for policies that read `context.country` and
    /// `context.city`. It is read again when it changes.
    pub places: Option<PathBuf>,
    /// What passwords people may have.
    pub passwords: Passwords,
    /// Secrets shared with trusted issuers that sign with HS256, HS384 or HS512, by the name that their `shared_secret` says: at least 32, 48 or
    /// 64 bytes.
    pub shared_secrets: BTreeMap<String, SecretReference>,
    /// Calls to URLs that somebody else named.
    pub outbound: Outbound,
    /// The audit record.
    pub audit: Audit,
    /// Logs and traces.
    pub telemetry: Telemetry,
}

/// A certificate of a file, read again when somebody renews it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateFiles {
    /// The chain, leaf first, in PEM.
    pub chain: PathBuf,
    /// The leaf's key, in PEM.
    pub key: PathBuf,
}

/// Addresses to listen on. Port 0 takes a free one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// The gateway.
    pub gateway: SocketAddr,
    /// The gateway in plain HTTP. Credentials count here behind a proxy of `gateway.fronts` alone, which begins each connection with the PROXY
    /// protocol. None when absent.
    pub plain: Option<SocketAddr>,
    /// Where proxies in front ask for decisions (forward-auth, `ext_authz`), in plain HTTP. None when absent.
    pub fronts: Option<SocketAddr>,
    /// The authority.
    pub authority: SocketAddr,
    /// The authority again, for clients with certificates (RFC 8705): here they are asked for one, and browsers, whose people would be asked too,
    /// do not come here. None when absent.
    pub mutual_tls: Option<SocketAddr>,
    /// Probes and metrics, in plain HTTP.
    pub operations: SocketAddr,
    /// Nodes: services and gateways.
    pub nodes: SocketAddr,
    /// Connections at a time on each of these; more wait.
    pub connections: usize,
    /// Those of one address among them (one /64 of IPv6); more are closed. This machine's own are not counted.
    pub connections_per_address: usize,
    /// Milliseconds for a TLS handshake, and for a request's head.
    pub head_ms: u32,
    /// Milliseconds without a byte within a body or an answer, and between requests.
    pub idle_ms: u32,
}

/// The audit record.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// How many days an event is kept at least; 0 keeps all of them for ever.
    pub retention: u32,
}

/// Where the ledger is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StoreChoice {
    /// In one file, `DATA/durward.db`.
    #[default]
    Sqlite,
    /// In PostgreSQL; the DSN by `${NAME}` or `file:PATH`.
    Postgres(SecretReference),
}

/// What passwords people may have.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Passwords {
    /// A file of breached passwords, which nobody may set: SHA-1 digests in hexadecimal, sorted, one a line, each perhaps with `:COUNT`, as they are
    /// published. It may be of any size; nothing is asked over the network.
    pub breached: Option<PathBuf>,
}

/// Calls to URLs that somebody else named: key sets, notifications, metadata documents. https alone, and public addresses alone.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outbound {
    /// Roots to trust beside the system's, as a file of certificates in PEM.
    pub trusted_roots: Option<PathBuf>,
    /// Whether this machine itself may be called: for tests and for trying things out.
    pub allow_loopback: bool,
}

/// Logs and traces.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// `error`, `warn`, `info`, `debug`, or filters like `durward_store=debug`.
    pub log: String,
    /// The form of log lines.
    pub format: LogFormat,
    /// Where traces go, as OTLP over gRPC: `http://collector:4317`.
    pub otlp: Option<String>,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For people.
    Text,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: None,
            mutual_tls_public_url: None,
            data: PathBuf::from("durward-data"),
            seal: None,
            listen: Listen::default(),
            gateway: GatewaySettings::default(),
            names: Vec::new(),
            certificates: Vec::new(),
            acme: Acme::default(),
            strict_transport_seconds: None,
            store: StoreChoice::default(),
            resources: None,
            places: None,
            shared_secrets: BTreeMap::new(),
            passwords: Passwords::default(),
            outbound: Outbound::default(),
            audit: Audit::default(),
            telemetry: Telemetry::default(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let Limits { connections, connections_per_address, .. } = Limits::default();
        Self {
            gateway: local(8443),
            plain: None,
            fronts: None,
            authority: local(8444),
            mutual_tls: None,
            operations: local(8445),
            nodes: local(8446),
            connections,
            connections_per_address,
            head_ms: 10_000,
            idle_ms: 60_000,
        }
    }
}

impl Default for Audit {
    /// A year, and a month in which to look back at it.
    fn default() -> Self {
        Self { retention: 400 }
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { log: "info".to_owned(), format: LogFormat::default(), otlp: None }
    }
}

impl Settings {
    /// The file that is named, or `durward.yaml` where one is here.
    pub fn named_or_here(file: Option<&Path>) -> Option<&Path> {
        file.or_else(|| Some(Path::new(HERE)).filter(|here| here.exists()))
    }

    /// Reads a file. Relative paths in it are relative to its directory.
    pub fn read(file: &Path) -> Result<Self, ConfigurationError> {
        let text = std::fs::read_to_string(file).map_err(|error| ConfigurationError::of_file(file, format!("cannot be read: {error}")))?;
        let mut settings = Self::parse(&text, file)?;
        let directory = file.parent().unwrap_or(Path::new("."));
        settings.relative_to(directory);
        Ok(settings)
    }

    /// Reads a text, of at most 1 MiB; `file` is its name in errors.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigurationError> {
        if text.len() > 1 << 20 {
            return Err(ConfigurationError::of_file(file, format!("is {} bytes long: expected at most 1 MiB", text.len())));
        }
        let settings: Self = if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            Self::default()
        } else {
            serde_saphyr::from_str(text).map_err(|error| ConfigurationError::from_yaml(&error, file, 1))?
        };
        settings.validated(text, file)
    }

    fn validated(self, text: &str, file: &Path) -> Result<Self, ConfigurationError> {
        let Listen { connections, connections_per_address, head_ms, idle_ms, .. } = self.listen;
        if connections == 0 || connections_per_address == 0 || head_ms == 0 || idle_ms == 0 {
            let message = "listen: found 0 connections or milliseconds: expected at least 1, or nobody is ever served".to_owned();
            return Err(ConfigurationError { message, file: file.to_owned(), place: place_of(text, "listen") });
        }
        for (name, url) in [
            ("public_url", &self.public_url),
            ("mutual_tls_public_url", &self.mutual_tls_public_url),
            ("gateway.public_url", &self.gateway.public_url),
        ] {
            if let Some(url) = url.as_deref().filter(|url| !is_origin(url)) {
                let message = format!("{name}: found `{url}`: expected `https://host[:port]` without a path");
                return Err(ConfigurationError { message, file: file.to_owned(), place: place_of(text, name) });
            }
        }
        if let Some((name, fault)) = self.acme.fault() {
            let place = place_of(text, name).or_else(|| place_of(text, "acme"));
            return Err(ConfigurationError { message: format!("{name}: {fault}"), file: file.to_owned(), place });
        }
        Ok(self)
    }
}

/// Whether a text is `https://host[:port]` and nothing more, as written.
fn is_origin(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.origin().ascii_serialization() == text)
}

/// Line and column of a key, by its dotted name.
fn place_of(text: &str, name: &str) -> Option<(u64, u64)> {
    let mut lines = text.lines().enumerate();
    let mut place = None;
    for (depth, key) in name.split('.').enumerate() {
        let stands = |line: &str| line.trim_start().starts_with(key) && line.starts_with(' ') == (depth > 0);
        place = lines.find(|(_, line)| stands(line));
    }
    let (line, text) = place?;
    Some((u64::try_from(line).ok()? + 1, u64::try_from(text.len() - text.trim_start().len()).ok()? + 1))
}

/// Reads what a reference names. `what` names the setting in the error.
pub fn resolve(reference: &SecretReference, what: &str) -> anyhow::Result<Secret> {
    match reference {
        SecretReference::Environment(name) => match std::env::var(name) {
            Ok(value) => Ok(Secret::new(value)),
            Err(_) => anyhow::bail!("{what}: the environment variable {name} is not set"),
        },
        SecretReference::File(path) => match std::fs::read_to_string(path) {
            Ok(mut text) => {
                if text.ends_with('\n') {
                    text.truncate(text.trim_end_matches(['\r', '\n']).len());
                }
                Ok(Secret::new(text))
            }
            Err(error) => anyhow::bail!("{what}: the file {path} cannot be read: {error}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Settings::parse(text, Path::new("durward.yaml")).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place_and_the_nearest_known_one() {
        assert_eq!(refused("data: /x\npublc_url: https://a\n"), "unknown key `publc_url` (did you mean `public_url`?)  durward.yaml:2:1");
        assert!(
            refused("listen:\n  gatway: 127.0.0.1:1\n").starts_with("unknown key `gatway` (did you mean `gateway`?)  durward.yaml:2:3")
        );
    }

    #[test]
    fn a_literal_secret_is_refused_with_its_place() {
        let error = refused("store:\n  postgres: postgresql://u:hunter2@h/d\n");
        assert!(error.contains("a secret must not stand in a configuration"), "{error}");
        assert!(error.contains("durward.yaml:2:"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_public_url_with_a_path_or_without_tls_is_refused() {
        for url in ["http://a", "https://a/", "https://a/b", "https://u@a", "a"] {
            assert!(refused(&format!("public_url: {url}\n")).contains("expected `https://host[:port]`"), "{url}");
        }
        let of_gateway = refused("public_url: https://a\ngateway:\n  name: main\n  public_url: http://b\n");
        assert!(of_gateway.starts_with("gateway.public_url: found `http://b`"), "{of_gateway}");
        assert!(of_gateway.ends_with("durward.yaml:4:3"), "{of_gateway}");
    }

    #[test]
    fn what_no_authority_would_issue_is_refused_with_its_place() {
        let good = "acme:\n  names: [auth.example]\n  terms_agreed: true\n  contact: ops@example.com\n";
        assert_eq!(Settings::parse(good, Path::new("durward.yaml")).unwrap().acme.names, ["auth.example"]);
        for name in ["\"*.example\"", "192.0.2.1", "Auth.example", "auth.example.", "auth example", "\"[::1]\""] {
            let error = refused(&good.replace("auth.example", name));
            assert!(error.starts_with("acme.names: found `") && error.ends_with("durward.yaml:2:3"), "{error}");
        }
        for (right, wrong, place) in [
            (
                "terms_agreed: true",
                "terms_agreed: false",
                "acme.terms_agreed: found `false`: the authority issues nothing until you agree to its terms: `true`  durward.yaml:3:3",
            ),
            (
                "  terms_agreed: true\n",
                "",
                "acme.terms_agreed: found `false`: the authority issues nothing until you agree to its terms: `true`  durward.yaml:1:1",
            ),
            (
                "ops@example.com",
                "mailto:ops@example.com",
                "acme.contact: found `mailto:ops@example.com`: expected an e-mail address  durward.yaml:4:3",
            ),
            (
                "contact: ops@example.com",
                "directory: http://ca.example/",
                "acme.directory: found `http://ca.example/`: expected `https://host/path`  durward.yaml:4:3",
            ),
        ] {
            assert_eq!(refused(&good.replace(right, wrong)), place);
        }
        assert!(
            refused(&format!("{good}  external_account: {{id: a, key: c2VjcmV0}}\n"))
                .contains("a secret must not stand in a configuration")
        );
    }

    #[test]
    fn an_empty_file_is_every_default() {
        let settings = Settings::parse("# nothing\n", Path::new("durward.yaml")).unwrap();
        assert_eq!(settings.listen.gateway.port(), 8443);
        assert_eq!(settings.seal_file().unwrap(), Path::new("durward-data.seal"));
    }
}
