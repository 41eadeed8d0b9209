//! A service: a resource server that tokens are made for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A service. Its name is the `aud` of tokens made for it; no client of the realm may bear the same name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The audience.
    pub name: String,
    /// What it does, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The scopes it understands.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// The `typ` of access tokens made for it.
    #[serde(default)]
    pub token_type: TokenType,
    /// A disabled service is issued no tokens for.
    #[serde(default)]
    pub disabled: bool,
}

/// A scope of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The name (RFC 6749 section 3.3).
    pub name: String,
    /// What people read on the consent page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The `typ` of access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum TokenType {
    /// RFC 9068.
    #[default]
    #[serde(rename = "at+jwt")]
    AccessTokenJwt,
    /// For resource servers that know no other, like an unmodified Spring.
    #[serde(rename = "JWT")]
    PlainJwt,
}

impl TokenType {
    /// The header's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessTokenJwt => "at+jwt",
            Self::PlainJwt => "JWT",
        }
    }
}
