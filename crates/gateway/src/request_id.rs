//! Ids of requests. They must differ, and need not be secret: their randomness is drawn for many at a time.

use std::sync::{Mutex, PoisonError};

use durward_base::{Entropy, EntropyError, EventId, Rng, Timestamp};

/// Where requests get their ids.
pub(crate) struct RequestIds(Rng);

impl RequestIds {
    pub(crate) fn new(rng: Rng) -> Self {
        Self(Rng::new(Drawn { rng, left: Mutex::default() }))
    }

    pub(crate) fn next(&self, now: Timestamp) -> EventId {
        EventId::new(now, &self.0)
    }
}

/// Randomness drawn ahead, each byte handed out once.
struct Drawn {
    rng: Rng,
    left: Mutex<Vec<u8>>,
}

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in bytes {
            if left.is_empty() {
                left.extend_from_slice(&self.rng.bytes::<1024>());
            }
            *byte = left.pop().ok_or(EntropyError)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use durward_testkit::seeded;

    use super::*;

    #[test]
    fn no_two_requests_have_one_id() {
        let ids = RequestIds::new(seeded(1));
        let now = Timestamp::from_seconds(1_800_000_000);
        let made: HashSet<_> = (0..10_000).map(|_| ids.next(now)).collect();
        assert_eq!(made.len(), 10_000);
    }
}
