//! RFC 8628 section 5.1: "the authorization server SHOULD rate-limit user code attempts": at most so many tries in so long a time for each
//! key, as a state machine without a clock.

use std::hash::Hash;
use std::net::IpAddr;

use durward_base::{Duration, Timestamp};

use super::bounded::Bounded;
use super::{MAX_ENTRIES, Network, Verdict};

/// Tries that may be spent at once, and that come back one by one.
#[derive(Debug)]
pub struct Budget<K> {
    spent: Bounded<K, Timestamp>,
    cost: Duration,
    window: Duration,
}

impl<K: Clone + Eq + Hash + Ord> Budget<K> {
    /// So many tries in `window`.
    pub fn new(tries: u32, window: Duration) -> Self {
        Self { spent: Bounded::new(MAX_ENTRIES), cost: window / tries.max(1), window }
    }

    /// Counts a try, unless it must wait; one that must wait is not counted.
    pub fn attempt(&mut self, key: &K, now: Timestamp) -> Verdict {
        let spent = self.spent.get(key).copied().unwrap_or(now).max(now);
        let wait = (spent + self.cost).since(now + self.window);
        if wait > Duration::ZERO {
            return Verdict::Wait(wait);
        }
        self.spent.put(key.clone(), spent + self.cost, now);
        Verdict::Allowed
    }

    /// That one try was no wrong one: it does not count. Those before it do.
    pub fn give_back(&mut self, key: &K) {
        let cost = self.cost;
        self.spent.change(key, |spent| *spent = *spent - cost);
    }
}

/// Guesses at user codes: five wrong ones in ten minutes for a login and for a network, and an alarm for all together.
#[derive(Debug)]
pub struct CodeGuesses {
    logins: Budget<[u8; 16]>,
    networks: Budget<Network>,
    all: Budget<()>,
}

/// Why a guess is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyGuesses {
    /// When to come back.
    pub wait: Duration,
    /// Whether the guesses of all together are spent: somebody guesses from everywhere.
    pub everywhere: bool,
}

impl Default for CodeGuesses {
    fn default() -> Self {
        Self { logins: Budget::new(TRIES, WINDOW), networks: Budget::new(TRIES, WINDOW), all: Budget::new(TRIES_OF_ALL, WINDOW) }
    }
}

impl CodeGuesses {
    /// Counts a guess before it is looked at, so that a thousand at once are a thousand.
    ///
    /// # Errors
    /// `TooManyGuesses`.
    pub fn attempt(&mut self, login: [u8; 16], address: IpAddr, now: Timestamp) -> Result<(), TooManyGuesses> {
        let network = Network::of(address);
        if let Verdict::Wait(wait) = self.logins.attempt(&login, now) {
            return Err(TooManyGuesses { wait, everywhere: false });
        }
        if let Verdict::Wait(wait) = self.networks.attempt(&network, now) {
            self.logins.give_back(&login);
            return Err(TooManyGuesses { wait, everywhere: false });
        }
        if let Verdict::Wait(wait) = self.all.attempt(&(), now) {
            self.logins.give_back(&login);
            self.networks.give_back(&network);
            return Err(TooManyGuesses { wait, everywhere: true });
        }
        Ok(())
    }

    /// The code was right. Wrong guesses before it still count.
    pub fn succeeded(&mut self, login: [u8; 16], address: IpAddr) {
        self.logins.give_back(&login);
        self.networks.give_back(&Network::of(address));
        self.all.give_back(&());
    }
}

const TRIES: u32 = 5;
const TRIES_OF_ALL: u32 = 1_000;
const WINDOW: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    /// DEV-001
    #[test]
    fn five_wrong_guesses_are_all_that_a_login_or_a_network_has_and_a_right_one_gives_none_back() {
        let mut guesses = CodeGuesses::default();
        let (here, there): (IpAddr, IpAddr) = ([192, 0, 2, 7].into(), [198, 51, 100, 7].into());
        for _ in 0..4 {
            assert_eq!(guesses.attempt([1; 16], here, NOW), Ok(()));
        }
        assert_eq!(guesses.attempt([1; 16], here, NOW), Ok(()));
        guesses.succeeded([1; 16], here);
        assert_eq!(guesses.attempt([1; 16], here, NOW), Ok(()), "the right one was no wrong one");
        let wait = Duration::from_secs(120);
        assert_eq!(guesses.attempt([1; 16], there, NOW), Err(TooManyGuesses { wait, everywhere: false }), "the login, from elsewhere");
        assert_eq!(guesses.attempt([2; 16], [192, 0, 2, 99].into(), NOW), Err(TooManyGuesses { wait, everywhere: false }), "its network");
        assert_eq!(guesses.attempt([2; 16], there, NOW), Ok(()), "others go on");
        assert_eq!(guesses.attempt([1; 16], here, NOW + wait), Ok(()), "one comes back after two minutes");
        assert!(guesses.attempt([1; 16], here, NOW + wait).is_err());
    }

    /// DEV-001
    #[test]
    fn a_thousand_networks_guess_no_more_than_a_thousand_codes() {
        let mut guesses = CodeGuesses::default();
        let mut looked_at = 0;
        for guess in 0_u32..100_000 {
            let [_, b, c, d] = guess.to_be_bytes();
            let mut login = [0; 16];
            login[..4].copy_from_slice(&guess.to_be_bytes());
            looked_at += u32::from(guesses.attempt(login, [10, b, c, d].into(), NOW).is_ok());
        }
        assert!(looked_at <= 1_000, "{looked_at}");
        let [wide, far] = [[9; 16], [172; 16]];
        assert!(guesses.attempt(wide, far.into(), NOW).is_err_and(|refused| refused.everywhere), "and somebody is told");
    }
}
