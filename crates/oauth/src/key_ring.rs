//! RFC 7518 section 3.1: the keys that sign for a realm now, one an algorithm.

use durward_jose::{Algorithm, JoseError, SigningKey};
use serde::Serialize;

/// The keys that sign for a realm now.
#[derive(Debug)]
pub struct KeyRing {
    es256: SigningKey,
    others: Vec<SigningKey>,
}

/// Keys that make no ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a realm signs with exactly one active key of algorithm {algorithm}, found {found}")]
pub struct KeyRingError {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// How many active keys of it there are.
    pub found: usize,
}

impl KeyRing {
    /// The ring of a realm's active keys: one of ES256, for access tokens; one of RS256, the default of OpenID Connect; at most one of each
    /// other algorithm.
    ///
    /// # Errors
    /// When there are too few or too many.
    pub fn new(keys: Vec<SigningKey>) -> Result<Self, KeyRingError> {
        let count = |algorithm| keys.iter().filter(|key| key.algorithm() == algorithm).count();
        for algorithm in Algorithm::ASYMMETRIC {
            let found = count(algorithm);
            let required = matches!(algorithm, Algorithm::ES256 | Algorithm::RS256);
            if found > 1 || (required && found == 0) {
                return Err(KeyRingError { algorithm, found });
            }
        }
        let (mut es256, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| key.algorithm() == Algorithm::ES256);
        es256.pop().map(|es256| Self { es256, others }).ok_or(KeyRingError { algorithm: Algorithm::ES256, found: 0 })
    }

    /// Whether there is a key of this algorithm.
    pub fn has(&self, algorithm: Algorithm) -> bool {
        self.key(algorithm).is_some()
    }

    /// Signs an access token.
    pub(crate) fn sign_access_token(&self, typ: &str, claims: &impl Serialize) -> Result<String, JoseError> {
        self.es256.sign(typ, claims)
    }

    /// The key of this algorithm.
    pub(crate) fn key(&self, algorithm: Algorithm) -> Option<&SigningKey> {
        std::iter::once(&self.es256).chain(&self.others).find(|key| key.algorithm() == algorithm)
    }
}
