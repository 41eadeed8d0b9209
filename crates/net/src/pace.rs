//! How slowly a request's body may come: who sends a byte now and then holds a connection, and a service, for no longer.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use durward_base::Duration;
use tokio::time::{Instant, Sleep};

/// How long a body may be waited for, however much of it has come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that make up for a second of waiting.
const RATE: u32 = 240;

/// What is left of the time that a body may be waited for. Waiting uses it up, and what comes makes up for it.
pub(crate) struct Pace {
    left: Duration,
    waiting: Option<Instant>,
    /// Made when something is first waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { left: PATIENCE, waiting: None, timer: None }
    }
}

impl Pace {
    /// So many bytes have come.
    pub(crate) fn came(&mut self, bytes: usize) {
        if let Some(since) = self.waiting.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        let earned = Duration::from_secs(1) * u32::try_from(bytes).unwrap_or(u32::MAX) / RATE;
        self.left = (self.left + earned).min(PATIENCE);
    }

    /// Ready when nothing has come for too long.
    pub(crate) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = Instant::now();
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(Duration::ZERO)));
        if self.waiting.is_none() {
            self.waiting = Some(now);
            timer.as_mut().reset(now + self.left);
        }
        timer.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// GWDOS-004
    #[tokio::test]
    async fn a_body_that_only_trickles_in_is_given_up_and_one_that_comes_is_waited_for() {
        let mut trickling = Pace { left: Duration::from_millis(20), ..Pace::default() };
        let is_given_up = async {
            loop {
                tokio::select! {
                    biased;
                    () = poll_fn(|cx| trickling.poll_over(cx)) => return,
                    () = tokio::time::sleep(Duration::from_millis(1)) => {}
                }
                trickling.came(0);
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(20), is_given_up).await.is_ok());

        let mut coming = Pace { left: Duration::ZERO, ..Pace::default() };
        coming.came(RATE as usize * 10);
        assert_eq!(coming.left, Duration::from_secs(10));
        coming.came(usize::MAX);
        assert_eq!(coming.left, PATIENCE, "nothing is saved up for later");
    }
}
