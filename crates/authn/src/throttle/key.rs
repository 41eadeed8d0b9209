//! Guesses at API keys (OWASP ASVS 6.3.8: no enumeration): 50 wrong ones a minute for a network, as a state machine without a clock. A right one is
//! always taken: nobody is kept out by whoever guesses beside them.

use std::net::IpAddr;

use durward_base::{Duration, Timestamp};

use super::budget::Budget;
use super::{Network, Verdict};

/// Counts wrong API keys.
#[derive(Debug)]
pub struct KeyGuesses(Budget<Network>);

impl Default for KeyGuesses {
    fn default() -> Self {
        Self(Budget::new(WRONG_KEYS, Duration::from_secs(60)))
    }
}

impl KeyGuesses {
    /// Counts a wrong key. `Wait` when there were too many from there.
    pub fn wrong(&mut self, address: IpAddr, now: Timestamp) -> Verdict {
        self.0.attempt(&Network::of(address), now)
    }
}

const WRONG_KEYS: u32 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    /// KEY-003
    #[test]
    fn fifty_wrong_keys_a_minute_are_all_that_a_network_has() {
        let (mut guesses, now) = (KeyGuesses::default(), Timestamp::from_seconds(1_800_000_000));
        let from = |last: u8| IpAddr::from([192, 0, 2, last]);
        assert!((0..50).all(|guess| guesses.wrong(from(guess), now) == Verdict::Allowed));
        assert!(matches!(guesses.wrong(from(77), now), Verdict::Wait(_)));
        assert_eq!(guesses.wrong([198, 51, 100, 1].into(), now), Verdict::Allowed, "others go on");
        assert_eq!(guesses.wrong(from(1), now + Duration::from_secs(2)), Verdict::Allowed);
    }
}
