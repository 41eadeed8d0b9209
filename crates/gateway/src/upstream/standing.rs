//! What is known of a host: how often it has failed in a row, since when it is passed over for that, and what its health check said last.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use durward_base::{Duration, Timestamp};

/// Failures in a row after which a host is passed over, and for how long.
const FAILURES: u32 = 5;
const PASSED_OVER: Duration = Duration::from_secs(30);
const NEVER: i64 = i64::MIN;

pub(super) struct Standing {
    in_a_row: AtomicU32,
    /// When it was passed over last, in milliseconds; `NEVER` before.
    ejected: AtomicI64,
    is_ill: AtomicBool,
    /// All failures there were.
    pub(super) failures: AtomicU64,
    /// Requests that it failed and that were sent again.
    pub(super) retries: AtomicU64,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            in_a_row: AtomicU32::new(0),
            ejected: AtomicI64::new(NEVER),
            is_ill: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            retries: AtomicU64::new(0),
        }
    }
}

impl Standing {
    /// It answered.
    pub(super) fn succeeded(&self) {
        // Usually it is so already, and nothing is written.
        if self.in_a_row.load(Ordering::Relaxed) != 0 {
            self.in_a_row.store(0, Ordering::Relaxed);
        }
    }

    /// It did not, or with 5xx. Whether it has done so often enough in a row to be passed over.
    pub(super) fn failed(&self) -> bool {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= FAILURES
    }

    /// Passes it over from now on.
    pub(super) fn eject(&self, now: Timestamp) {
        self.in_a_row.store(0, Ordering::Relaxed);
        self.ejected.store(now.millis(), Ordering::Relaxed);
    }

    /// Whether it is passed over. A clock that was set back takes it in again.
    pub(super) fn is_ejected(&self, now: Timestamp) -> bool {
        let since = self.ejected.load(Ordering::Relaxed);
        since != NEVER && now.millis() >= since && now.since(Timestamp::from_millis(since)) < PASSED_OVER
    }

    /// Whether its health check failed.
    pub(super) fn is_ill(&self) -> bool {
        self.is_ill.load(Ordering::Relaxed)
    }

    /// Notes what the health check says; whether that is something new.
    pub(super) fn set_ill(&self, is_ill: bool) -> bool {
        self.is_ill.swap(is_ill, Ordering::Relaxed) != is_ill
    }
}
