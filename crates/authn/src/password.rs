//! RFC 9106: passwords of people by argon2id, and NIST SP 800-63B section 3.1.1.2: what a password may be.
//!
//! Before hashing, a password is brought into Unicode's form NFC, when it is set and when it is tried alike, so that the same keys pressed
//! on two systems make the same password. Nothing is trimmed, folded or cut: `password` and `password ` differ, and so do wide and narrow
//! letters.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use durward_base::{Rng, Secret};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

mod chosen;
#[cfg(test)]
mod tests;

pub use chosen::{Breached, BreachedUnavailable, NewPassword};

/// The fewest characters of a new password.
pub const MIN_CHARACTERS: usize = 8;
/// The most characters of a new password.
pub const MAX_CHARACTERS: usize = 256;
/// The most bytes that are looked at when a password is tried.
pub const MAX_BYTES: usize = 1024;

/// Why a password cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {MIN_CHARACTERS} to {MAX_CHARACTERS} characters, found {found}")]
    Length {
        /// Characters found, at most one more than allowed.
        found: usize,
    },
    /// Among those that are tried first.
    #[error("this password is among those that everybody tries first: choose another one")]
    Common,
    /// The username or the realm, and little more.
    #[error("a password must not be little more than the username or the name of the realm")]
    Expected,
    /// It was published after a breach somewhere.
    #[error("this password was published after a breach elsewhere: choose another one")]
    Breached,
    /// It cannot be told whether it was.
    #[error("the list of breached passwords cannot be read, so no password is set")]
    BreachedUnavailable,
    /// argon2id failed: no memory.
    #[error("the password could not be hashed")]
    Hashing,
}

/// A stored hash that cannot be used: the person cannot log in until their password is set anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoredHashError {
    /// Not the PHC text of an argon2id hash.
    #[error("the stored password hash is not an argon2id hash in PHC form")]
    Malformed,
    /// It asks for more work than any hash that was made here.
    #[error("the stored password hash asks for more than {MAX_MEMORY_KIB} KiB, {MAX_PASSES} passes or {MAX_LANES} lanes")]
    TooCostly,
}

/// Hashes a new password with a random salt: argon2id, 19 MiB, 2 passes, 1 lane, in PHC form.
///
/// # Errors
/// `Hashing`.
pub fn hash(password: &NewPassword, rng: &Rng) -> Result<String, PasswordError> {
    let salt: [u8; 16] = rng.bytes();
    let hash = parameters().and_then(|argon2| argon2.hash_password_with_salt(normalized(password.secret()).as_bytes(), &salt));
    hash.map(|hash| hash.to_string()).map_err(|_| PasswordError::Hashing)
}

/// Whether a password is the one that was hashed. One that is longer than any can be is wrong, and nothing is computed for it.
///
/// # Errors
/// When the stored hash is unusable; no more memory than its bound is ever taken for it.
pub fn verify(password: &Secret, stored: &str) -> Result<bool, StoredHashError> {
    if password.expose().len() > MAX_BYTES {
        return Ok(false);
    }
    let stored = PasswordHash::new(stored).map_err(|_| StoredHashError::Malformed)?;
    let parameters = Params::try_from(&stored).map_err(|_| StoredHashError::Malformed)?;
    if stored.algorithm.as_str() != "argon2id" || stored.salt.is_none() || stored.hash.is_none() {
        return Err(StoredHashError::Malformed);
    }
    if parameters.m_cost() > MAX_MEMORY_KIB || parameters.t_cost() > MAX_PASSES || parameters.p_cost() > MAX_LANES {
        return Err(StoredHashError::TooCostly);
    }
    match Argon2::default().verify_password(normalized(password).as_bytes(), &stored) {
        Ok(()) => Ok(true),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(StoredHashError::Malformed),
    }
}

/// A hash that nobody's password has, to be tried where there is no person: an unknown name costs what a known one does.
pub const fn dummy_hash() -> &'static str {
    "$argon2id$v=19$m=19456,t=2,p=1$ZHVyd2FyZCBub2JvZHkgMQ$q3VqjB1mC8s2rJm0o1k5nC7o0pQe5mZtq0cX8y7u9lE"
}

fn normalized(password: &Secret) -> Zeroizing<String> {
    Zeroizing::new(password.expose().nfc().collect())
}

/// OWASP's first choice for argon2id.
fn parameters() -> Result<Argon2<'static>, password_hash::Error> {
    let parameters = Params::new(19_456, 2, 1, None).map_err(|_| password_hash::Error::Internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
}

const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 10;
const MAX_LANES: u32 = 4;
