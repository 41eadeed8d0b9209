//! RFC 6749 section 2.3.1: "the authorization server MUST protect any endpoint utilizing it against brute force attacks": guesses at the
//! secrets of clients, as a state machine without a clock.
//!
//! Guesses are counted for each client at each source, an IPv4 address or an IPv6 /64: who guesses from elsewhere never keeps the client out.
//! Where a client has proved itself within a day, its right secret is taken whatever others guess beside it, behind one NAT; the wrong ones
//! are refused there as everywhere. A secret has 256 bits: what protects it is its length, and this protects the authority.

use std::net::IpAddr;

use durward_base::{Duration, Timestamp};

use super::MAX_ENTRIES;
use super::bounded::Bounded;
use super::host::Host;

#[cfg(test)]
mod tests;

/// How long to wait after a refusal: one more guess is free by then.
pub const GUESS: Duration = Duration::from_secs(3);
/// A minute's guesses may be spent at once: 20.
const BUDGET: Duration = Duration::from_secs(60);
/// How long a source is known for a client that proved itself there.
const FAMILIAR: Duration = Duration::from_secs(24 * 60 * 60);
/// How often that is written down anew.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);
/// No client's name is longer, and no claim takes more memory.
const MAX_NAME: usize = 128;

/// Counts guesses at clients' secrets.
#[derive(Debug)]
pub struct ClientThrottle {
    spent: Bounded<ClientClaim, Timestamp>,
    proven: Bounded<ClientClaim, Timestamp>,
}

/// What guesses are counted against: a `client_id` in a realm, whether there is such a client or not, from one source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientClaim {
    realm: Box<str>,
    client: Box<str>,
    source: Host,
}

impl Default for ClientThrottle {
    fn default() -> Self {
        Self { spent: Bounded::new(MAX_ENTRIES), proven: Bounded::new(MAX_ENTRIES) }
    }
}

impl ClientThrottle {
    /// Whether a secret may be compared: there are guesses left, or the client is known at this source.
    pub fn admits(&self, claim: &ClientClaim, now: Timestamp) -> bool {
        let known = self.proven.get(claim).is_some_and(|proven| now.since(*proven) < FAMILIAR);
        known || !self.is_spent(claim, now)
    }

    /// The secret was wrong. False when there were no guesses left.
    pub fn failed(&mut self, claim: &ClientClaim, now: Timestamp) -> bool {
        if self.is_spent(claim, now) {
            return false;
        }
        let spent = self.spent.get(claim).copied().unwrap_or(now).max(now);
        self.spent.put(claim.clone(), spent + GUESS, now);
        true
    }

    /// The secret was right. That gives no guess back.
    pub fn succeeded(&mut self, claim: &ClientClaim, now: Timestamp) {
        if self.proven.get(claim).is_none_or(|proven| now.since(*proven) >= REMEMBERED) {
            self.proven.put(claim.clone(), now, now);
        }
    }

    fn is_spent(&self, claim: &ClientClaim, now: Timestamp) -> bool {
        self.spent.get(claim).is_some_and(|spent| *spent + GUESS > now + BUDGET)
    }
}

impl ClientClaim {
    /// A claim to be this client, from this address.
    pub fn new(realm: &str, client: &str, address: IpAddr) -> Self {
        Self { realm: realm.into(), client: client.chars().take(MAX_NAME).collect(), source: Host::of(Some(address)) }
    }
}
