//! So many in any stretch of so long a time for each key, as a state machine without a clock.
//!
//! [`Budget`](super::budget::Budget) keeps one moment a key and lets twice as many pass in its first stretch, since tries come back while they
//! are spent. This keeps the moment of each, and is for few.

use std::collections::VecDeque;
use std::hash::Hash;

use durward_base::{Duration, Timestamp};

use super::bounded::Bounded;
use super::{MAX_ENTRIES, Verdict};

/// What was done within the last stretch of time.
#[derive(Debug)]
pub struct Allowance<K> {
    done: Bounded<K, VecDeque<Timestamp>>,
    most: usize,
    stretch: Duration,
}

impl<K: Clone + Eq + Hash + Ord> Allowance<K> {
    /// At most so many, and one at least, in any `stretch`.
    pub fn new(most: u32, stretch: Duration) -> Self {
        Self { done: Bounded::new(MAX_ENTRIES), most: most.max(1) as usize, stretch }
    }

    /// Counts one, unless it must wait; one that must wait is not counted.
    pub fn attempt(&mut self, key: &K, now: Timestamp) -> Verdict {
        let mut done = self.done.get(key).cloned().unwrap_or_default();
        done.retain(|then| now < *then + self.stretch);
        if let Some(first) = done.front().filter(|_| done.len() >= self.most) {
            return Verdict::Wait((*first + self.stretch).since(now));
        }
        done.push_back(now);
        self.done.put(key.clone(), done, now);
        Verdict::Allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DCR-007
    #[test]
    fn no_hour_has_more_than_an_hours_worth_and_who_waits_as_long_as_they_are_told_is_let_in() {
        let (hour, start) = (Duration::from_secs(3600), Timestamp::from_seconds(1_800_000_000));
        let mut allowance = Allowance::new(10, hour);
        let passed: Vec<_> = (0..7200_u64)
            .map(|second| start + Duration::from_secs(second))
            .filter(|now| allowance.attempt(&1, *now) == Verdict::Allowed)
            .collect();
        assert_eq!(passed.len(), 20, "in two hours");
        for first in &passed {
            let within = passed.iter().filter(|then| *first <= **then && **then < *first + hour).count();
            assert!(within <= 10, "{within}");
        }
        let now = start + Duration::from_secs(7200);
        assert!((0..10).all(|_| allowance.attempt(&2, now) == Verdict::Allowed), "others go on");
        let Verdict::Wait(wait) = allowance.attempt(&2, now + Duration::from_secs(60)) else { panic!("the eleventh") };
        assert_eq!(wait, Duration::from_secs(3540));
        assert_eq!(allowance.attempt(&2, now + Duration::from_secs(60) + wait), Verdict::Allowed);
    }
}
