//! RFC 7518 section 3.2: HMAC with SHA-2, for the one who shares the secret. No other key is ever used as an HMAC key.

use std::fmt;

use aws_lc_rs::hmac;
use serde::Serialize;

use crate::{Algorithm, JoseError, jws};

/// A secret shared with one party, for one algorithm. There is no short one and no empty one.
pub struct HmacKey {
    kid: String,
    algorithm: Algorithm,
    key: hmac::Key,
}

impl HmacKey {
    /// Takes in a secret for HS256: at least 32 bytes.
    pub fn new(kid: impl Into<String>, secret: &[u8]) -> Result<Self, JoseError> {
        Self::of(Algorithm::HS256, kid, secret)
    }

    /// Takes in a secret for HS256, HS384 or HS512, of at least 32, 48 or 64 bytes.
    pub fn of(algorithm: Algorithm, kid: impl Into<String>, secret: &[u8]) -> Result<Self, JoseError> {
        let hash = match algorithm {
            Algorithm::HS256 => hmac::HMAC_SHA256,
            Algorithm::HS384 => hmac::HMAC_SHA384,
            Algorithm::HS512 => hmac::HMAC_SHA512,
            found => return Err(JoseError::NotSymmetric { found }),
        };
        // RFC 7518 section 3.2: "A key of the same size as the hash output (for instance, 256 bits for "HS256") or larger MUST be used".
        let needed = hash.digest_algorithm().output_len();
        if secret.len() < needed {
            return Err(JoseError::HmacKeyTooShort { algorithm, needed, found: secret.len() });
        }
        Ok(Self { kid: kid.into(), algorithm, key: hmac::Key::new(hash, secret) })
    }

    /// The name both sides know it by; empty where there is but one.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm it is for.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Signs claims as a compact JWT whose header has exactly `alg`, `typ` and, where it has one, `kid`.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, JoseError> {
        let payload = serde_json::to_vec(claims).map_err(|_| JoseError::ClaimsUnwritable)?;
        jws::write(self.algorithm, typ, &self.kid, &payload, |message| Ok(hmac::sign(&self.key, message).as_ref().to_vec()))
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        hmac::verify(&self.key, message, signature).is_ok()
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HmacKey({} {})", self.algorithm, self.kid)
    }
}
