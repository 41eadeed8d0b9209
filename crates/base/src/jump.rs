//! A wall clock that jumps is told from one that runs by the time the machine has been up, which nobody sets.

use std::time::Duration;

use crate::Timestamp;

/// How far the wall clock may stray before it is said to have jumped.
const TOLERANCE: i64 = 10_000;
/// A jump no longer than this is believed, once it has lasted `STEADY`: somebody set a clock that was wrong.
const BELIEVED: i64 = 15 * 60_000;
/// How long a small jump must last to be believed.
const STEADY: Duration = Duration::from_secs(10 * 60);

/// The wall clock stands somewhere else than it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the clock stands {} s {} where it should: set it right, or confirm it with `durward clock confirm`", .by.abs() / 1000, if *.by < 0 { "before" } else { "after" })]
pub struct ClockJump {
    by: i64,
}

impl ClockJump {
    /// How far it jumped, in milliseconds; negative when back.
    pub const fn millis(self) -> i64 {
        self.by
    }
}

/// What is known of a wall clock: by how much it differs from the time the machine has been up.
#[derive(Debug)]
pub(crate) struct Watch {
    trusted: i64,
    looked: Duration,
    strayed: Option<Strayed>,
}

#[derive(Debug, Clone, Copy)]
struct Strayed {
    difference: i64,
    since: Duration,
}

impl Watch {
    pub(crate) fn new(now: Timestamp, uptime: Duration) -> Self {
        Self { trusted: difference(now, uptime), looked: uptime, strayed: None }
    }

    /// Compares; the jump that is neither undone, nor small and lasting, nor confirmed.
    pub(crate) fn look(&mut self, now: Timestamp, uptime: Duration) -> Option<ClockJump> {
        let difference = difference(now, uptime);
        let by = difference.saturating_sub(self.trusted);
        if by.abs() <= TOLERANCE {
            // Clocks are steered, by no more than a tenth of the time that passes.
            let passed = i64::try_from(uptime.saturating_sub(self.looked).as_millis() / 10).unwrap_or(i64::MAX);
            self.trusted = self.trusted.saturating_add(by.clamp(-passed, passed));
            self.looked = uptime;
            self.strayed = None;
            return None;
        }
        self.looked = uptime;
        let lasting = self.strayed.filter(|strayed| difference.abs_diff(strayed.difference) <= TOLERANCE.unsigned_abs());
        let strayed = lasting.unwrap_or(Strayed { difference, since: uptime });
        self.strayed = Some(strayed);
        if by.abs() <= BELIEVED && uptime.saturating_sub(strayed.since) >= STEADY {
            self.confirm(now, uptime);
            return None;
        }
        Some(ClockJump { by })
    }

    /// The wall clock is right as it stands.
    pub(crate) fn confirm(&mut self, now: Timestamp, uptime: Duration) {
        *self = Self::new(now, uptime);
    }
}

fn difference(now: Timestamp, uptime: Duration) -> i64 {
    now.millis().saturating_sub(i64::try_from(uptime.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// A wall clock and the machine under it.
    struct Machine {
        watch: Watch,
        now: i64,
        up: u64,
    }

    impl Machine {
        fn new() -> Self {
            Self { watch: Watch::new(Timestamp::from_seconds(1_800_000_000), Duration::from_secs(50)), now: 1_800_000_000_000, up: 50_000 }
        }

        fn pass(&mut self, seconds: u64) -> Option<i64> {
            self.up += seconds * 1_000;
            self.now += i64::try_from(seconds * 1_000).unwrap();
            self.look()
        }

        fn set(&mut self, by: i64) -> Option<i64> {
            self.now += by;
            self.look()
        }

        fn look(&mut self) -> Option<i64> {
            self.watch.look(Timestamp::from_millis(self.now), Duration::from_millis(self.up)).map(ClockJump::millis)
        }
    }

    /// FLT-014: an hour, a day, ten years, forward and back.
    #[test]
    fn a_jump_is_told_until_it_is_undone_or_confirmed_however_long_it_lasts() {
        for by in [HOUR, 24 * HOUR, 10 * 8_766 * HOUR] {
            for by in [by, -by] {
                let mut machine = Machine::new();
                assert_eq!(machine.pass(3_600), None);
                assert_eq!(machine.set(by), Some(by));
                assert_eq!(machine.pass(7 * 86_400), Some(by));
                assert_eq!(machine.set(-by), None, "it was set right");
                assert_eq!(machine.set(by), Some(by));
                machine.watch.confirm(Timestamp::from_millis(machine.now), Duration::from_millis(machine.up));
                assert_eq!(machine.look(), None, "the operator says it is right");
                assert_eq!(machine.set(-by), Some(-by));
            }
        }
    }

    #[test]
    fn a_small_jump_is_believed_once_it_has_lasted() {
        let mut machine = Machine::new();
        assert_eq!(machine.set(60_000), Some(60_000));
        assert_eq!(machine.pass(599), Some(60_000));
        assert_eq!(machine.set(60_000), Some(120_000), "it jumps again: it is not steady");
        assert_eq!(machine.pass(599), Some(120_000));
        assert_eq!(machine.pass(1), None);
        assert_eq!(machine.pass(86_400), None);
    }

    #[test]
    fn a_clock_that_is_steered_or_sleeps_has_not_jumped() {
        let mut machine = Machine::new();
        for _ in 0..86_400 {
            assert_eq!(machine.pass(1), None);
            assert_eq!(machine.set(50), None);
        }
        assert_eq!(machine.pass(30 * 86_400), None);
    }

    #[test]
    fn many_small_jumps_are_one_large_one() {
        let mut machine = Machine::new();
        let told = (0..10).any(|_| machine.set(9_000).is_some() || machine.pass(1).is_some());
        assert!(told);
    }

    #[test]
    fn a_jump_says_which_way_and_what_to_do() {
        let text = ClockJump { by: -HOUR }.to_string();
        assert_eq!(text, "the clock stands 3600 s before where it should: set it right, or confirm it with `durward clock confirm`");
        assert!(ClockJump { by: HOUR }.to_string().contains("3600 s after"));
    }
}
