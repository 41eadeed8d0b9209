//! RFC 6749 section 1.3: the grant types a client may use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value of `grant_type`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum GrantType {
    /// RFC 6749 section 4.1, with PKCE.
    #[n(0)]
    AuthorizationCode,
    /// RFC 6749 section 6.
    #[n(1)]
    RefreshToken,
    /// RFC 6749 section 4.4.
    #[n(2)]
    ClientCredentials,
}

impl GrantType {
    /// Every grant type this authority knows.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The value as it stands on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The grant type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.name() == name)
    }
}
