//! Fake clock and seeded randomness: tests never sleep and never differ.

pub mod dpop;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use aws_lc_rs::hmac;
use durward_base::{Clock, Duration, Entropy, EntropyError, Rng, Time, Timestamp};

/// A clock that stands still until it is moved.
#[derive(Debug, Clone)]
pub struct FakeClock {
    now: Arc<AtomicI64>,
    set: Arc<AtomicI64>,
}

impl FakeClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { now: Arc::new(AtomicI64::new(now.millis())), set: Arc::default() }
    }

    /// The handle that code under test takes.
    pub fn clock(&self) -> Clock {
        Clock::new(self.clone())
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.now.fetch_add(by, Ordering::SeqCst);
    }

    /// Sets it to another time, as no running clock gets there: by milliseconds, back when negative.
    pub fn set(&self, by: i64) {
        self.set.fetch_add(by, Ordering::SeqCst);
    }
}

impl Time for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst) + self.set.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(self.now.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// Randomness that repeats for the same seed: HMAC-SHA-256 of a counter under it.
pub fn seeded(seed: u64) -> Rng {
    Rng::new(Seeded { key: hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes()), counter: AtomicU64::new(0) })
}

struct Seeded {
    key: hmac::Key,
    counter: AtomicU64,
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in bytes.chunks_mut(32) {
            let block = hmac::sign(&self.key, &self.counter.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            for (byte, random) in chunk.iter_mut().zip(block.as_ref()) {
                *byte = *random;
            }
        }
        Ok(())
    }
}
