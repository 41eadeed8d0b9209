//! What a route grants besides: how often, to which pages of other origins.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often something may be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// What is counted by itself.
    pub per: RateKey,
    /// How many requests in that time.
    pub requests: u32,
    /// The time, in seconds.
    #[serde(default = "a_minute")]
    pub seconds: u32,
}

/// What is counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RateKey {
    /// Each person, service or client.
    Principal,
    /// Each credential: API key, token, session.
    Key,
    /// The route, whoever asks.
    Route,
    /// Each address.
    Address,
}

impl RateKey {
    /// Its name, as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::Key => "key",
            Self::Route => "route",
            Self::Address => "address",
        }
    }

    /// Whether it is known before anybody has proved who they are.
    pub const fn is_anonymous(self) -> bool {
        matches!(self, Self::Route | Self::Address)
    }
}

/// Whose pages may call (the Fetch standard's CORS protocol). Without it, none of another origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Their origins, as `https://app.example`.
    pub origins: Vec<String>,
    /// The request's fields that they may set, besides the harmless ones.
    #[serde(default)]
    pub headers: Vec<String>,
    /// The answer's fields that they may read, besides the harmless ones.
    #[serde(default)]
    pub expose: Vec<String>,
    /// Whether the browser may send cookies along.
    #[serde(default)]
    pub credentials: bool,
    /// How long a browser may remember it, in seconds.
    #[serde(default = "ten_minutes")]
    pub max_age_seconds: u32,
}

const fn a_minute() -> u32 {
    60
}

const fn ten_minutes() -> u32 {
    600
}
