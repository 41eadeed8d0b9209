//! NIST SP 800-63B section 3.2.2: rate limiting of guesses, as a state machine without a clock.
//!
//! An attempt is counted before it is verified, so that a thousand at once are a thousand; one that succeeds is taken back. After five
//! failures in 15 minutes an account answers after a delay that doubles with each further failure, one second to 15 minutes; it is never
//! locked. A network (/24 or /64) has 50 failures a minute over all accounts, and no success gives any of them back.

pub mod allowance;
mod bounded;
pub mod budget;
pub mod client;
pub mod host;
pub mod key;
pub mod pace;

use std::net::IpAddr;

use durward_base::{Duration, Timestamp};

use crate::username::Username;
use bounded::Bounded;

#[cfg(test)]
mod tests;

/// The most accounts, and the most networks, that are remembered; the one that failed longest ago is forgotten first.
pub const MAX_ENTRIES: usize = 65_536;

/// Counts guesses. One for all ways in that try a person's password.
#[derive(Debug)]
pub struct Throttle {
    accounts: Bounded<Account, Failures>,
    networks: Bounded<Network, Timestamp>,
}

/// What guesses are counted against: a name in a realm, whether there is such a person or not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account {
    realm: String,
    username: Username,
}

/// Whether an attempt may be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may, and is counted as a failure until [`Throttle::succeeded`] says otherwise.
    Allowed,
    /// Not before this has passed: 429 with `Retry-After`.
    Wait(Duration),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    /// Of two that came at once the one that came first may be counted last: where there is no delay, nobody waits for the moment of another.
    fn wait(&self, now: Timestamp) -> Duration {
        match delay(self.count) {
            Duration::ZERO => Duration::ZERO,
            delay => (self.last + delay).since(now),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Network {
    V4([u8; 3]),
    V6([u16; 4]),
}

impl Default for Throttle {
    fn default() -> Self {
        Self { accounts: Bounded::new(MAX_ENTRIES), networks: Bounded::new(MAX_ENTRIES) }
    }
}

impl Throttle {
    /// Counts an attempt, unless it must wait; one that must wait is not counted.
    pub fn attempt(&mut self, now: Timestamp, account: &Account, address: IpAddr) -> Verdict {
        let network = Network::of(address);
        let failures = self.failures(account, now);
        let spent = self.networks.get(&network).copied().unwrap_or(now).max(now);
        let wait = failures.map_or(Duration::ZERO, |failures| failures.wait(now));
        let wait = wait.max((spent + NETWORK_COST).since(now + NETWORK_BUDGET));
        if wait > Duration::ZERO {
            return Verdict::Wait(wait);
        }
        let count = failures.map_or(0, |failures| failures.count).saturating_add(1);
        self.accounts.put(account.clone(), Failures { count, last: now }, now);
        self.networks.put(network, spent + NETWORK_COST, now);
        Verdict::Allowed
    }

    /// The attempt was right: the account's failures are forgotten, and this one attempt does not count against the network.
    pub fn succeeded(&mut self, account: &Account, address: IpAddr) {
        self.accounts.remove(account);
        self.give_back(address);
    }

    /// The attempt was never verified, for want of a free thread: it does not count.
    pub fn abandoned(&mut self, account: &Account, address: IpAddr) {
        self.accounts.change(account, |failures| failures.count = failures.count.saturating_sub(1));
        self.give_back(address);
    }

    fn give_back(&mut self, address: IpAddr) {
        self.networks.change(&Network::of(address), |spent| *spent = *spent - NETWORK_COST);
    }

    /// What is held against the account now: a few failures for as long as they are recent, many for a day.
    fn failures(&self, account: &Account, now: Timestamp) -> Option<Failures> {
        let memory = |failures: &Failures| if failures.count < FREE_FAILURES { RECENT } else { DAY };
        self.accounts.get(account).copied().filter(|failures| now.since(failures.last) < memory(failures))
    }
}

impl Account {
    /// The account of this name in this realm.
    pub fn new(realm: impl Into<String>, username: Username) -> Self {
        Self { realm: realm.into(), username }
    }
}

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                Self::V4([a, b, c])
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

/// One second after the fifth failure, doubled with each further one.
fn delay(failures: u32) -> Duration {
    match failures.checked_sub(FREE_FAILURES) {
        None => Duration::ZERO,
        Some(further) => Duration::from_secs(1_u64.checked_shl(further).unwrap_or(u64::MAX)).min(RECENT),
    }
}

const FREE_FAILURES: u32 = 5;
const RECENT: Duration = Duration::from_secs(15 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// 50 failures a minute: each costs its share of the minute, and a minute's worth may be spent at once.
const NETWORK_BUDGET: Duration = Duration::from_secs(60);
const NETWORK_COST: Duration = Duration::from_millis(60_000 / 50);
