//! Key hierarchy, envelope encryption, opaque self-authenticating handles, sealed state.

mod browser_marks;
mod checksum;
mod client_secret;
mod context;
mod handle;
mod known_passwords;
mod pairwise;
mod periodic;
mod recovery_key;
mod root;
mod sealed_root;
mod state;
mod xaes;

pub use browser_marks::BrowserMarks;
pub use checksum::checksum;
pub use client_secret::{SecretHasher, sha256};
pub use context::Context;
pub use handle::{Handle, HandleError, HandleKeys, HandleKind};
pub use known_passwords::KnownPasswords;
pub use pairwise::PairwiseKeys;
pub use periodic::{Period, PeriodicSecrets};
pub use recovery_key::{RecoveryKey, RecoveryKeyError};
pub use root::{DerivedKey, Purpose, RootKey};
pub use sealed_root::{NewRoot, SealKey, SealKeyError, SealedRoot, SealedRootError};
pub use state::{StateError, StateKeys, Validity};
pub use xaes::{OpenError, Sealer};

/// Gives types that hold keys a `Debug` that shows nothing but their name.
macro_rules! opaque_debug {
    ($($name:ident),* $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

opaque_debug!(
    DerivedKey,
    HandleKeys,
    KnownPasswords,
    PairwiseKeys,
    PeriodicSecrets,
    RecoveryKey,
    RootKey,
    SealKey,
    Sealer,
    SecretHasher,
    StateKeys
);

#[cfg(test)]
mod testing {
    use aws_lc_rs::hmac;
    use durward_base::{Entropy, EntropyError, Rng};
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A repeatable source: HMAC of a counter under the seed.
    struct Seeded(u64, AtomicU64);

    impl Entropy for Seeded {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0.to_be_bytes());
            for chunk in bytes.chunks_mut(32) {
                let block = hmac::sign(&key, &self.1.fetch_add(1, Ordering::Relaxed).to_be_bytes());
                chunk.copy_from_slice(&block.as_ref()[..chunk.len()]);
            }
            Ok(())
        }
    }

    pub fn seeded(seed: u64) -> Rng {
        Rng::new(Seeded(seed, AtomicU64::new(0)))
    }
}
