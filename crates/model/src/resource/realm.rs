//! A realm: people, clients and policies that share one issuer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A realm. Its issuer is `{public_url}/realms/{name}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Realm {
    /// The name, part of the issuer.
    pub name: String,
    /// The name people see on its pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Life of an access token, in seconds: 30 to 3,600.
    #[serde(default = "access_token_seconds")]
    pub access_token_seconds: u32,
    /// Absolute life of a login, in seconds.
    #[serde(default = "session_seconds")]
    pub session_seconds: u32,
    /// Absolute life of a refresh family with `offline_access`, in seconds; without, it ends with the login.
    #[serde(default = "refresh_seconds")]
    pub refresh_seconds: u32,
    /// Whether people may make personal access tokens, and how long those may last.
    #[serde(default)]
    pub personal_tokens: PersonalTokens,
    /// What API keys look like that another system made and that were taken over by their hashes. Nobody is asked about any other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_api_keys: Vec<KeyFormat>,
    /// Who may sign the certificates of clients with `tls_client_auth`, in PEM: root certificates only. The installation's own authority when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate_authorities: Option<String>,
    /// The algorithms it holds signing keys of, whether or not a client asks for them yet, beside ES256 and RS256.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signing_algorithms: Vec<String>,
    /// Who may register clients (RFC 7591).
    #[serde(default, skip_serializing_if = "Registrations::are_off")]
    pub registration: Registrations,
    /// The scopes that clients which register themselves may ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registration_scopes: Vec<String>,
    /// The services that clients which register themselves get tokens for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registration_services: Vec<String>,
    /// Whether clients are taken that nobody registered, and whose `client_id` is the https URL of their metadata. They get what clients get
    /// that register themselves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub client_id_metadata_documents: bool,
    /// RFC 9126 section 5: every client pushes its authorization requests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_pushed_authorization_requests: bool,
    /// Whether clients that authenticate may log people in without PKCE (RFC 7636), as applications do that do not know it yet. Public clients
    /// and those with a profile never may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub code_challenge_optional: bool,
    /// A disabled realm issues nothing, and everything it issued is dead.
    #[serde(default)]
    pub disabled: bool,
}

/// What a realm allows of personal access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PersonalTokens {
    /// Whether people may make them. Those they have are dead while they may not.
    pub allowed: bool,
    /// The longest life, in days.
    pub longest_days: u32,
    /// Whether one may last until it is revoked.
    pub until_revoked: bool,
}

impl Default for PersonalTokens {
    fn default() -> Self {
        Self { allowed: true, longest_days: 366, until_revoked: false }
    }
}

/// What the API keys of another system look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyFormat {
    /// How they begin, as `sk_live_`; anyhow when empty.
    #[serde(default)]
    pub prefix: String,
    /// How many characters they have, with those of the prefix: 20 to 256.
    pub length: u16,
}

/// Who may register clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Registrations {
    /// Nobody.
    #[default]
    Off,
    /// Whoever has an initial access token.
    Token,
    /// Anybody, within bounds.
    Open,
}

impl Registrations {
    /// Whether nobody may.
    pub const fn are_off(&self) -> bool {
        matches!(self, Self::Off)
    }
}

const fn access_token_seconds() -> u32 {
    300
}

const fn session_seconds() -> u32 {
    10 * 3600
}

const fn refresh_seconds() -> u32 {
    30 * 86_400
}

impl Realm {
    /// A realm of this name with every default.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: None,
            access_token_seconds: access_token_seconds(),
            session_seconds: session_seconds(),
            refresh_seconds: refresh_seconds(),
            personal_tokens: PersonalTokens::default(),
            foreign_api_keys: Vec::new(),
            client_certificate_authorities: None,
            signing_algorithms: Vec::new(),
            require_pushed_authorization_requests: false,
            registration: Registrations::default(),
            registration_scopes: Vec::new(),
            registration_services: Vec::new(),
            client_id_metadata_documents: false,
            code_challenge_optional: false,
            disabled: false,
        }
    }
}
