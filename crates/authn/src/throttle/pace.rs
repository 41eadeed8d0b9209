//! RFC 8628 section 3.5: how often a client may ask whether a person has answered, as a state machine without a clock.

use durward_base::{Duration, Timestamp};

use super::MAX_ENTRIES;
use super::bounded::Bounded;

/// How often to ask: RFC 8628 3.2: "If no value is provided, clients MUST use 5 as the default."
const INTERVAL: Duration = Duration::from_secs(5);
/// RFC 8628 3.5: "the interval MUST be increased by 5 seconds for this and all subsequent requests".
const SLOWER: Duration = Duration::from_secs(5);
/// What the network may take from an interval.
const JITTER: Duration = Duration::from_secs(1);

/// Remembers when each open question was last asked.
#[derive(Debug)]
pub struct Pace(Bounded<[u8; 16], Asked>);

#[derive(Debug, Clone, Copy)]
struct Asked {
    last: Timestamp,
    interval: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self(Bounded::new(MAX_ENTRIES))
    }
}

impl Pace {
    /// The question of this id is asked. Whether it is asked too soon: the client is to wait five seconds longer from here on.
    pub fn is_too_soon(&mut self, id: [u8; 16], now: Timestamp) -> bool {
        let before = self.0.get(&id).copied();
        let too_soon = before.is_some_and(|before| now.since(before.last) + JITTER < before.interval);
        let interval = before.map_or(INTERVAL, |before| before.interval) + if too_soon { SLOWER } else { Duration::ZERO };
        self.0.put(id, Asked { last: now, interval }, now);
        too_soon
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_too_soon_waits_five_seconds_longer_from_then_on() {
        let (mut pace, mut now) = (Pace::default(), Timestamp::from_seconds(1_800_000_000));
        for (waited, too_soon) in [(0, false), (5, false), (4, false), (2, true), (6, true), (15, false), (10, true), (19, false)] {
            now = now + Duration::from_secs(waited);
            assert_eq!(pace.is_too_soon([1; 16], now), too_soon, "after {waited} s");
        }
        assert!(!pace.is_too_soon([2; 16], now), "every question has a pace of its own");
    }
}
