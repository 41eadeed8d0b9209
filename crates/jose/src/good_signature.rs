//! A signature that was found good, so that it need not be checked again on the same text.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};

use aws_lc_rs::digest::{SHA256, digest};

use crate::VerifyingKey;

/// That a key made the signature of a token, byte for byte. Only [`UnverifiedJwt::verify_once`](crate::UnverifiedJwt::verify_once) makes one:
/// ```compile_fail,E0451
/// fn forge(key: durward_jose::VerifyingKey) -> durward_jose::GoodSignature {
///     durward_jose::GoodSignature { digest: [0; 32], key }
/// }
/// ```
#[derive(Clone)]
pub struct GoodSignature {
    digest: [u8; 32],
    key: VerifyingKey,
}

impl GoodSignature {
    pub(crate) fn new(text: &str, key: &VerifyingKey) -> Self {
        Self { digest: token_digest(text), key: key.clone() }
    }

    /// Whether it is known of this text, and of the very key that is asked about: one that was published anew is asked itself.
    pub(crate) fn is_of(&self, text: &str, key: &VerifyingKey) -> bool {
        self.key.is(key) && self.digest == token_digest(text)
    }
}

/// SHA-256 of a token in its one canonical spelling.
pub fn token_digest(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}

/// Found by the digest of its token.
impl Borrow<[u8; 32]> for GoodSignature {
    fn borrow(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl Hash for GoodSignature {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl PartialEq for GoodSignature {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for GoodSignature {}

impl fmt::Debug for GoodSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GoodSignature({:?})", self.key)
    }
}
