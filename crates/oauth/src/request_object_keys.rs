//! RFC 9101 section 6.1 and OpenID Connect Core section 10.2: the keys that clients encrypt their request objects to.
//!
//! One a period, derived and never stored (`durward_seal::PeriodicSecrets`): core 10.2.1 wants keys to change and the ones before to be kept
//! "for a reasonable period of time", which here is one period more.

use durward_base::{RealmId, Timestamp};
use durward_jose::{DecryptionKey, EncryptedJwt, JoseError, Jwk, KeyManagement};
use durward_seal::{Period, PeriodicSecrets, RootKey};

/// The algorithm that request objects are encrypted with.
pub const ALGORITHM: KeyManagement = KeyManagement::EcdhEs;

/// The keys of all realms.
#[derive(Debug)]
pub struct RequestObjectKeys(PeriodicSecrets);

impl RequestObjectKeys {
    /// The keys of this installation.
    pub fn from_root(root: &RootKey) -> Self {
        Self(PeriodicSecrets::from_root(root))
    }

    /// The public half of a realm's present key, for its JWK set.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn published(&self, realm: RealmId, now: Timestamp) -> Result<Jwk, JoseError> {
        self.key(realm, Period::of(now)).map(|key| key.jwk())
    }

    /// What is inside, which nobody vouches for.
    ///
    /// # Errors
    /// When it is encrypted to none of the keys that count, or altered.
    pub(crate) fn decrypt(&self, realm: RealmId, object: &EncryptedJwt<'_>, now: Timestamp) -> Result<String, JoseError> {
        // A node whose clock is ahead may have given out the next one already.
        let keys = [0, -1, 1].map(|offset| self.key(realm, Period::of(now).plus(offset)));
        for key in keys {
            let key = key?;
            if object.kid().is_none_or(|kid| kid == key.kid())
                && let Ok(inside) = object.decrypt(&key)
            {
                return Ok(inside);
            }
        }
        Err(JoseError::DecryptionFailed)
    }

    /// A secret number beyond the order of the curve, one in 2^32, is no key, and the next is tried.
    fn key(&self, realm: RealmId, period: Period) -> Result<DecryptionKey, JoseError> {
        let at = |attempt| DecryptionKey::from_p256_secret(ALGORITHM, &self.0.of(realm, period, attempt));
        at(0).or_else(|_| at(1))
    }
}
