//! The machine's clock and randomness: the one place that reads them.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use durward_base::{Clock, Duration, Entropy, EntropyError, Rng, Time, Timestamp};

/// The machine's clock.
pub fn clock() -> Clock {
    Clock::new(Machine)
}

/// The machine's source of randomness.
pub fn rng() -> Rng {
    Rng::new(Machine)
}

struct Machine;

impl Time for Machine {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    // The boot clock goes on while the machine sleeps, as the wall clock does; `Instant` stands still.
    fn uptime(&self) -> Duration {
        let up = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(up.tv_sec.unsigned_abs(), u32::try_from(up.tv_nsec).unwrap_or_default())
    }
}

impl Entropy for Machine {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        SystemRandom::new().fill(bytes).map_err(|_| EntropyError)
    }
}
