//! Passwords that were found right in this process, so that one that is declared again and again costs argon2id once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::hmac;
use durward_base::{Rng, Secret};

use crate::Context;

/// The most that are known; then all are forgotten.
const MOST: usize = 4096;

/// Each with the hash that it was right for, as a MAC under a key of this process: a copy of one without the other tells nothing.
pub struct KnownPasswords {
    key: hmac::Key,
    known: Mutex<HashSet<[u8; 32]>>,
}

impl KnownPasswords {
    /// None are known.
    pub fn new(rng: &Rng) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &rng.bytes::<32>()), known: Mutex::default() }
    }

    /// Whether this password is the one of this stored hash, which `verify` is asked once.
    ///
    /// # Errors
    /// Those of `verify`.
    pub fn is<E>(&self, password: &Secret, stored: &str, verify: impl FnOnce() -> Result<bool, E>) -> Result<bool, E> {
        let mark = self.mark(password, stored);
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&mark) {
            return Ok(true);
        }
        let right = verify()?;
        if right {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(mark);
        }
        Ok(right)
    }

    fn mark(&self, password: &Secret, stored: &str) -> [u8; 32] {
        let context = Context::new("durward known password 1").with(stored.as_bytes());
        let mut mac = hmac::Context::with_key(&self.key);
        mac.update(context.as_bytes());
        mac.update(password.expose().as_bytes());
        let mut mark = [0; 32];
        mark.copy_from_slice(mac.sign().as_ref());
        mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::seeded;

    #[test]
    fn what_was_right_for_a_hash_is_known_for_that_hash_alone() {
        let known = KnownPasswords::new(&seeded(1));
        let ask = |password: &str, stored: &str, right: bool| {
            let mut asked = false;
            let is = known.is(&Secret::new(password.to_owned()), stored, || {
                asked = true;
                Ok::<_, ()>(right)
            });
            (is.unwrap(), asked)
        };
        assert_eq!(ask("dover sole", "$hash$1", true), (true, true));
        assert_eq!(ask("dover sole", "$hash$1", false), (true, false));
        for (password, stored) in
            [("dover sole", "$hash$2"), ("dover sol", "$hash$1"), ("dover sole ", "$hash$1"), ("1dover sole", "$hash$")]
        {
            assert_eq!(ask(password, stored, false), (false, true), "{password} {stored}");
            assert_eq!(ask(password, stored, false), (false, true), "a wrong one is never known");
        }
    }
}
