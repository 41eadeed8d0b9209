//! How much may be sent again: a fifth of what is sent, and ten requests at once after a quiet time. When a whole upstream fails, retries are no
//! second wave on top.

use std::sync::atomic::{AtomicU32, Ordering};

/// What a request that is sent again costs, in what each request earns.
const RETRY: u32 = 5;
/// What can be saved up.
const MOST: u32 = 10 * RETRY;

pub(super) struct RetryBudget(AtomicU32);

impl Default for RetryBudget {
    fn default() -> Self {
        Self(AtomicU32::new(MOST))
    }
}

impl RetryBudget {
    /// A request is sent.
    pub(super) fn earn(&self) {
        // Usually it is full, and nothing is written.
        if self.0.load(Ordering::Relaxed) < MOST {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether one may be sent again.
    pub(super) fn spend(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(RETRY)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_thousand_failing_requests_a_fifth_is_sent_again_flt_030() {
        let budget = RetryBudget::default();
        let again = (0..1000).filter(|_| {
            budget.earn();
            budget.spend()
        });
        assert_eq!(again.count(), 10 + 1000 / 5 - 1);
    }
}
