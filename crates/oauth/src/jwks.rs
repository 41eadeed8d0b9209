//! RFC 7517 section 5: the JWK Set that the realm publishes.

use durward_jose::Jwk;
use durward_model::{Key, KeyState, KeyUse};
use serde::Serialize;
use serde_json::Value;

/// The published keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Jwks {
    keys: Vec<Value>,
}

/// The keys of one issuer and use that verifiers should hold: the next one before it signs, so that everybody knows it by then, the one
/// that signs now, and those whose last token is not yet dead.
pub fn published<'a>(keys: impl IntoIterator<Item = &'a Key>, issuer: &str, key_use: KeyUse) -> Jwks {
    let mut keys: Vec<&Key> =
        keys.into_iter().filter(|key| key.issuer == issuer && key.key_use == key_use && key.state.is_public()).collect();
    // The one that signs comes first, for readers that take the first they find.
    keys.sort_by_key(|key| (key.state != KeyState::Active, key.state, key.kid.clone()));
    Jwks { keys: keys.into_iter().map(|key| key.jwk.clone()).collect() }
}

impl Jwks {
    /// The same with a key that clients encrypt to (`"use": "enc"`), after those that sign.
    #[must_use]
    pub fn with(mut self, encryption: &Jwk) -> Self {
        self.keys.extend(serde_json::to_value(encryption));
        self
    }
}
