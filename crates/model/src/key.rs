//! Signing keys and their life: generated → published → active → retiring → removed (or compromised at once).

use durward_base::{SecretBytes, Timestamp};
use serde::{Deserialize, Serialize};

/// What a key signs. Look-ups are by (issuer, `kid`, use), so a key of one use never verifies for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyUse {
    /// Access and ID tokens of a realm.
    Token,
    /// Identity tokens of a gateway. The authority accepts them for one thing: to be exchanged by the service they were made for.
    Identity,
}

/// A key's place in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// In the JWKS, not yet signing; tokens under it are refused.
    Published,
    /// Signing.
    Active,
    /// Signs no more; verifies until the last token under it is dead.
    Retiring,
    /// Neither signs nor verifies; kept for `explain`.
    Removed,
}

impl KeyState {
    /// The legal moves: forward one at a time, or from anywhere straight to `Removed` when compromised.
    pub const fn may_become(self, next: KeyState) -> bool {
        matches!(
            (self, next),
            (Self::Published, Self::Active)
                | (Self::Active, Self::Retiring)
                | (Self::Published | Self::Active | Self::Retiring, Self::Removed)
        )
    }

    /// Whether a signature under a key in this state counts.
    pub const fn verifies(self) -> bool {
        matches!(self, Self::Active | Self::Retiring)
    }

    /// Whether the key stands in the JWKS.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Published | Self::Active | Self::Retiring)
    }
}

/// The public side of a signing key, as it travels on the feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The key's id: its RFC 7638 thumbprint, shortened to 128 bits.
    pub kid: String,
    /// The name of the realm it belongs to.
    pub realm: String,
    /// The issuer whose tokens it signs.
    pub issuer: String,
    /// What it signs.
    #[serde(rename = "use")]
    pub key_use: KeyUse,
    /// The JWS algorithm, the only one it may be used with.
    pub algorithm: String,
    /// Where in its life it is.
    pub state: KeyState,
    /// When it entered that state.
    pub since: Timestamp,
    /// The public key as a JWK.
    pub jwk: serde_json::Value,
}

/// A signing key with its private half sealed under the root key.
#[derive(Debug, Clone)]
pub struct SealedKey {
    /// The public side.
    pub key: Key,
    /// PKCS#8, sealed. `None` for a key whose private half lives elsewhere (a gateway's).
    pub sealed: Option<SecretBytes>,
}
