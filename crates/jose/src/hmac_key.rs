//! RFC 7518 section 3.2: HMAC with SHA-256, for the one who shares the secret. No other key is ever used as an HMAC key.

use std::fmt;

use aws_lc_rs::hmac;
use serde::Serialize;

use crate::{Algorithm, JoseError, jws};

/// A secret shared with one party, for HS256. There is no short one and no empty one.
pub struct HmacKey {
    kid: String,
    key: hmac::Key,
}

impl HmacKey {
    /// Takes in a secret of at least 32 bytes.
    pub fn new(kid: impl Into<String>, secret: &[u8]) -> Result<Self, JoseError> {
        // RFC 7518 section 3.2: a key of the same size as the hash output or larger MUST be used
        if secret.len() < 32 {
            return Err(JoseError::HmacKeyTooShort { found: secret.len() });
        }
        Ok(Self { kid: kid.into(), key: hmac::Key::new(hmac::HMAC_SHA256, secret) })
    }

    /// The name both sides know it by; empty where there is but one.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Signs claims as a compact JWT whose header has exactly `alg`, `typ` and, where it has one, `kid`.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, JoseError> {
        let payload = serde_json::to_vec(claims).map_err(|_| JoseError::ClaimsUnwritable)?;
        jws::write(Algorithm::HS256, typ, &self.kid, &payload, |message| Ok(hmac::sign(&self.key, message).as_ref().to_vec()))
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        hmac::verify(&self.key, message, signature).is_ok()
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HmacKey({})", self.kid)
    }
}
