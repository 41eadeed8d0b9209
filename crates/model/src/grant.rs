//! RFC 6749 section 1.3: the grant types a client may use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value of `grant_type`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, minicbor::Encode, minicbor::Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
// By number. The next one is 24.
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
    /// RFC 8628.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    #[n(3)]
    DeviceCode,
    /// RFC 8693.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    #[n(8)]
    TokenExchange,
    /// RFC 7523 section 2.1.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    #[n(9)]
    JwtBearer,
    /// RFC 6749 section 4.3: only as a [`LegacyGrant`].
    #[serde(skip)]
    #[n(21)]
    Password,
    /// OpenID Connect Client-Initiated Backchannel Authentication.
    #[serde(rename = "urn:openid:params:grant-type:ciba")]
    #[n(22)]
    Ciba,
    /// RFC 6749 section 4.2: only as a [`LegacyGrant`], and never at the token endpoint.
    #[serde(skip)]
    #[n(23)]
    Implicit,
}

impl GrantType {
    /// Every grant type that a client of today may be registered for.
    pub const ALL: [Self; 7] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::Ciba,
        Self::TokenExchange,
        Self::JwtBearer,
    ];

    /// Whether a person's login stands behind it, rather than a program or what somebody else issued.
    pub const fn is_of_login(self) -> bool {
        match self {
            Self::AuthorizationCode | Self::RefreshToken | Self::DeviceCode | Self::Ciba | Self::Password | Self::Implicit => true,
            Self::ClientCredentials | Self::TokenExchange | Self::JwtBearer => false,
        }
    }

    /// Whether a refresh token may come of it.
    pub const fn begins_family(self) -> bool {
        match self {
            Self::AuthorizationCode | Self::DeviceCode | Self::Ciba | Self::Password => true,
            Self::RefreshToken | Self::ClientCredentials | Self::TokenExchange | Self::JwtBearer | Self::Implicit => false,
        }
    }

    /// The value as it stands on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::Ciba => "urn:openid:params:grant-type:ciba",
            Self::Password => "password",
            Self::Implicit => "implicit",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }

    /// The grant type that a token request names so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().chain([Self::Password]).find(|grant| grant.name() == name)
    }
}

/// RFC 9700 section 2.4: grants that no client should use any more, for those that have not moved on yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegacyGrant {
    /// The person's password in the client's hands.
    Password,
    /// Tokens from the authorization endpoint, through the browser.
    Implicit,
}

impl LegacyGrant {
    /// As a grant type.
    pub const fn grant(self) -> GrantType {
        match self {
            Self::Password => GrantType::Password,
            Self::Implicit => GrantType::Implicit,
        }
    }
}
