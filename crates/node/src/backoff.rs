//! Waits between attempts: doubled, with jitter, so that a fleet does not come back all at once.

use durward_base::{Duration, Rng};

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// How long to wait before the next attempt.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// After a failure: between half and all of the present wait, which then doubles.
    pub(crate) fn next(&mut self, rng: &Rng) -> Duration {
        let longest = FIRST.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST);
        self.failures += 1;
        let jitter = f64::from(u32::from_le_bytes(rng.bytes())) / f64::from(u32::MAX);
        longest.mul_f64(0.5 + jitter / 2.0)
    }

    /// After a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}
