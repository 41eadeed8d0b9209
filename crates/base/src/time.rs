//! Time as a value: pure code takes `now: Timestamp`; only `app` makes the clock that reads the machine's.

use std::ops::{Add, Sub};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

pub use std::time::Duration;

use crate::jump::{ClockJump, Watch};

/// A moment: milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment this many milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The moment this many seconds after the epoch, as in JWT's `NumericDate`.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as in JWT's `NumericDate`.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How long after `earlier` this is; zero when it is not.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, duration: Duration) -> Timestamp {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, duration: Duration) -> Timestamp {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-11-22T20:15:04.123Z`.
impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (days, in_day) = (self.0.div_euclid(86_400_000), self.0.rem_euclid(86_400_000));
        let (year, month, day) = civil(days);
        let (hour, minute, second, milli) = (in_day / 3_600_000, in_day / 60_000 % 60, in_day / 1000 % 60, in_day % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

/// Year, month and day of the proleptic Gregorian calendar, from days since 1970-01-01 (400-year eras of 146,097 days, years from March).
fn civil(days: i64) -> (i64, i64, i64) {
    let from_march_0000 = days + 719_468;
    let (era, in_era) = (from_march_0000.div_euclid(146_097), from_march_0000.rem_euclid(146_097));
    let year_in_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
    let month_from_march = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_in_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Where a `Clock` takes its time from.
pub trait Time: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// How long the machine has been up, sleep included, which setting the clock does not change. A clock that nobody sets is its own measure.
    fn uptime(&self) -> Duration {
        self.now().since(Timestamp::default())
    }
}

/// The handle on time that I/O code carries; pure code takes a `Timestamp`.
#[derive(Clone)]
pub struct Clock {
    time: Arc<dyn Time>,
    watch: Arc<Mutex<Watch>>,
}

impl Clock {
    /// A clock that reads `time`.
    pub fn new(time: impl Time) -> Self {
        let watch = Watch::new(time.now(), time.uptime());
        Self { time: Arc::new(time), watch: Arc::new(Mutex::new(watch)) }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// How far it has jumped, while nobody knows whether it is right: nothing is issued, expired or moved on until then.
    pub fn jump(&self) -> Option<ClockJump> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).look(self.time.now(), self.time.uptime())
    }

    /// It is right as it stands: somebody who knows says so.
    pub fn confirm(&self) {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).confirm(self.time.now(), self.time.uptime());
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_as_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (2_147_483_648, "2038-01-19T03:14:08.000Z"),
            (253_402_300_799, "9999-12-31T23:59:59.000Z"),
            (-1, "1969-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(Timestamp::from_seconds(seconds).to_string(), text);
        }
    }

    #[test]
    fn arithmetic_at_the_edges_saturates() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end + Duration::from_secs(u64::MAX), end);
        assert_eq!(Timestamp::from_seconds(i64::MAX), end);
        assert_eq!(Timestamp::default().since(end), Duration::ZERO);
    }
}
