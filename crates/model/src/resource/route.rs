//! A route of the gateway: which requests, who may make them, where they go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::terms::{Cors, RateLimit};
use super::upstream::{HealthCheck, Timeouts, Upstream};
use crate::CredentialKind;

/// A route. Without `access: public` it must state a requirement or an authorization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The name that `explain` shows.
    pub name: String,
    /// The host it is for, in lower case without port; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The path: literal segments, `{name}` for one segment, `{name...}` last for the rest. `/orders` matches itself and all below it unless `exact`.
    pub path: String,
    /// Whether only the path itself matches.
    #[serde(default)]
    pub exact: bool,
    /// The methods it is for; any when empty.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Where requests go: `http://host:port` or `https://host:port`, or several of them, which requests are shared out among. `h2c://host:port` and
    /// `h2://host:port` are spoken to in HTTP/2, without and with TLS: gRPC.
    pub upstream: Upstream,
    /// What the gateway's settings have under this name of TLS to upstreams; the system's roots and no certificate when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_tls: Option<String>,
    /// The name that the upstream's certificate must be for; the host of its URL when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_name: Option<String>,
    /// How long the upstream may take.
    #[serde(default, skip_serializing_if = "Timeouts::is_empty")]
    pub timeouts: Timeouts,
    /// Whether a request without effect (GET, HEAD, OPTIONS, PUT, DELETE) that a host failed to answer is sent once more, to another where there is
    /// one.
    #[serde(default = "retries", skip_serializing_if = "Clone::clone")]
    pub retries: bool,
    /// How many requests may be under way at a time before more are answered with 503; as the gateway is set when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<u32>,
    /// How hosts are asked whether they are well; not at all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// The service behind it: the audience of the identity token sent upstream.
    pub service: String,
    /// The audience a presented token must be for; `service` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Which ways in it accepts.
    #[serde(default = "accept_jwt")]
    pub accept: Vec<CredentialKind>,
    /// Whether an API key may stand in the URL, as the parameter `api_key`, for callers that can send it nowhere else. It is taken out of what is
    /// forwarded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub api_key_in_url: bool,
    /// `public`: anyone, without a credential.
    #[serde(default)]
    pub access: Access,
    /// What the principal must have, all of it.
    #[serde(default)]
    pub require: Requirement,
    /// What is asked of the policies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorize: Option<Authorize>,
    /// Fields of a client's request that the upstream is not to see, besides those that could say who calls: these are never passed on.
    /// Spelling with `-`, `_` or capitals makes no difference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withhold: Vec<String>,
    /// The `typ` of the identity token: `dw-id+jwt`, or `JWT` for resource servers that know no other.
    #[serde(default = "identity_type")]
    pub identity_type: String,
    /// How often it may be asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<RateLimit>,
    /// Whose pages may call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
    /// Whether answers get the headers that keep browsers from harm: `Strict-Transport-Security`, `X-Content-Type-Options: nosniff`,
    /// `X-Frame-Options: DENY`, `Referrer-Policy: no-referrer`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub security_headers: bool,
    /// What the upstream gets in place of the route's own path, as far as it has no parameters: `/v2`. What follows stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewrite: Option<String>,
    /// Whether answers say which rule decided, in `Durward-Decision`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub show_decision: bool,
    /// Whether what may not pass is refused, or passes and is on record; as the gateway is set when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// How stale the node's knowledge may be, in seconds, before the route answers 503.
    #[serde(default = "max_staleness_seconds")]
    pub max_staleness_seconds: u32,
}

/// Whether a credential is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// It is.
    #[default]
    Protected,
    /// It is not.
    Public,
}

/// What becomes of a request that may not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It is refused.
    #[default]
    Enforce,
    /// It passes, and the record says why it would not have: for finding out who would break.
    Observe,
}

/// What a principal must have. Everything named is needed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Requirement {
    /// Scopes, all of them.
    pub scopes: Vec<String>,
    /// Roles, at least one of them.
    pub roles: Vec<String>,
    /// Services or clients, one of which the caller must be.
    pub callers: Vec<String>,
    /// Any authenticated principal will do.
    pub authenticated: bool,
    /// How strongly the person must have logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<Acr>,
    /// How long ago they may have, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_seconds: Option<u32>,
}

/// OpenID Connect Core section 2, `acr`: how strongly a person has logged in, the stronger the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Acr {
    /// By a password.
    Pwd,
    /// By two factors.
    Mfa,
}

impl Acr {
    /// The claim's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pwd => "pwd",
            Self::Mfa => "mfa",
        }
    }

    /// The level that a claim says; none that is known here.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pwd, Self::Mfa].into_iter().find(|level| level.name() == name)
    }
}

/// What is asked of the policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// The action's id, as in `Action::"inventory:read"`.
    pub action: String,
    /// The resource's entity, in which `{name}` stands for a path parameter: `Stock::"{sku}"`. The route itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

impl Requirement {
    /// Whether it asks for nothing at all.
    pub const fn is_empty(&self) -> bool {
        let of_anybody = self.scopes.is_empty() && self.roles.is_empty() && self.callers.is_empty() && !self.authenticated;
        of_anybody && self.acr.is_none() && self.max_age_seconds.is_none()
    }
}

impl Route {
    /// The audience a presented token must be for.
    pub fn accepted_audience(&self) -> &str {
        self.audience.as_deref().unwrap_or(&self.service)
    }
}

fn accept_jwt() -> Vec<CredentialKind> {
    vec![CredentialKind::Jwt, CredentialKind::BoundToken]
}

fn identity_type() -> String {
    "dw-id+jwt".to_owned()
}

const fn retries() -> bool {
    true
}

const fn max_staleness_seconds() -> u32 {
    60
}
