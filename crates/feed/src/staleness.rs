//! How old a node's knowledge is, and whether its clock can be trusted to tell.

use durward_base::{Duration, Timestamp};

/// How far a node's clock may be from the authority's: expiries are compared with the node's own.
pub const MAXIMUM_CLOCK_DIFFERENCE: Duration = Duration::from_secs(30);

/// When the authority was last heard from, its knowledge being complete then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Staleness {
    /// When the last heartbeat arrived, by the node's own clock; none yet: nothing is known.
    pub last_heartbeat: Option<Timestamp>,
}

impl Staleness {
    /// The staleness of a node that heard a heartbeat at `time`.
    pub const fn heard(time: Timestamp) -> Self {
        Self { last_heartbeat: Some(time) }
    }

    /// How old the knowledge is; without bound when there never was a heartbeat.
    pub fn age(self, now: Timestamp) -> Duration {
        self.last_heartbeat.map_or(Duration::MAX, |heard| now.since(heard))
    }
}

/// The clocks of node and authority are too far apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this clock says {local}, the authority's says {server}: more than 30 s apart; set the clock")]
pub struct ClockDifference {
    /// The node's time.
    pub local: Timestamp,
    /// The authority's time.
    pub server: Timestamp,
}

/// Whether the two clocks agree to within 30 s.
///
/// # Errors
/// `ClockDifference` when they do not.
pub fn check_clock(local: Timestamp, server: Timestamp) -> Result<(), ClockDifference> {
    let difference = local.since(server).max(server.since(local));
    if difference > MAXIMUM_CLOCK_DIFFERENCE { Err(ClockDifference { local, server }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ_by_thirty_seconds_either_way_and_no_more() {
        let now = Timestamp::from_seconds(1_000_000);
        for (server, agrees) in [(999_970, true), (1_000_030, true), (999_969, false), (1_000_031, false), (i64::MIN, false)] {
            assert_eq!(check_clock(now, Timestamp::from_seconds(server)).is_ok(), agrees, "{server}");
        }
    }

    #[test]
    fn knowledge_that_never_was_confirmed_is_infinitely_old() {
        assert_eq!(Staleness::default().age(Timestamp::from_seconds(5)), Duration::MAX);
        assert_eq!(Staleness::heard(Timestamp::from_seconds(2)).age(Timestamp::from_seconds(5)), Duration::from_secs(3));
    }
}
