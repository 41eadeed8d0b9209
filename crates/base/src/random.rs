//! Randomness as a parameter: only `app` makes the handle that draws from the machine.

use std::sync::Arc;

/// The source of randomness failed; whatever was being made must not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source of randomness failed")]
pub struct EntropyError;

/// Where an `Rng` draws from.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` with unpredictable bytes, or fails.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The handle on randomness that code carries.
#[derive(Clone)]
pub struct Rng(Arc<dyn Entropy>);

impl Rng {
    /// A handle that draws from `entropy`.
    pub fn new(entropy: impl Entropy) -> Self {
        Self(Arc::new(entropy))
    }

    /// `N` unpredictable bytes.
    ///
    /// # Panics
    /// When the source fails or hands out nothing but zeros: no id, code or key may ever be made from that, and no caller could do better.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        let filled = self.0.fill(&mut bytes);
        assert!(filled.is_ok() && (N < 8 || bytes.iter().any(|byte| *byte != 0)), "the source of randomness failed");
        bytes
    }
}

impl std::fmt::Debug for Rng {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rng")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(Result<(), EntropyError>);

    impl Entropy for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            self.0
        }
    }

    #[test]
    fn a_failing_or_all_zero_source_yields_nothing() {
        for outcome in [Ok(()), Err(EntropyError)] {
            let rng = Rng::new(Broken(outcome));
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rng.bytes::<16>())).is_err());
        }
    }
}
