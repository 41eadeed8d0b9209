//! The pool in which passwords are hashed: one thread a core, at low priority, with a bounded queue, so that logins never starve tokens.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use durward_base::Duration;
use tokio::sync::oneshot;

/// The longest that a hash may be expected to wait for its turn.
pub const MAX_WAIT: Duration = Duration::from_millis(200);
/// What a hash is taken to cost before the first was measured.
const FIRST_GUESS: Duration = Duration::from_millis(30);
/// Added to the niceness of the process: everything else goes first.
const NICENESS: i32 = 10;

/// The pool. Its threads end when it is dropped.
#[derive(Debug)]
pub struct HashingPool(Arc<Shared>);

/// More work is waiting than can be done within `MAX_WAIT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are waiting to be checked: try again in {} seconds", .retry_after.as_secs())]
pub struct Busy {
    /// When to come back.
    pub retry_after: Duration,
}

type Job = Box<dyn FnOnce() + Send>;

struct Shared {
    threads: u32,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    running: u32,
    mean: Duration,
    closed: bool,
}

impl HashingPool {
    /// Starts `threads` threads.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start(threads: std::num::NonZeroU32) -> std::io::Result<Self> {
        let state = Mutex::new(State { mean: FIRST_GUESS, ..State::default() });
        let shared = Arc::new(Shared { threads: threads.get(), state, changed: Condvar::new() });
        for number in 0..threads.get() {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(format!("hashing-{number}")).spawn(move || shared.work())?;
        }
        Ok(Self(shared))
    }

    /// Does `work` on one of the threads.
    ///
    /// # Errors
    /// `Busy` when it would wait too long, or when the work panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let (answer, answered) = oneshot::channel();
        self.0.enqueue(Box::new(move || drop(answer.send(work()))))?;
        answered.await.map_err(|_| Busy { retry_after: Duration::from_secs(1) })
    }

    /// Jobs waiting for a thread.
    pub fn waiting(&self) -> usize {
        self.0.lock().waiting.len()
    }
}

impl Drop for HashingPool {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn enqueue(&self, job: Job) -> Result<(), Busy> {
        let mut state = self.lock();
        let wait = state.wait(self.threads);
        if wait > MAX_WAIT {
            return Err(Busy { retry_after: Duration::from_secs(wait.as_secs() + 1) });
        }
        state.waiting.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    fn work(&self) {
        // Where the system refuses it, passwords are checked at normal priority.
        let _ = rustix::process::nice(NICENESS);
        let mut state = self.lock();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                state.running += 1;
                drop(state);
                let started = Instant::now();
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.lock();
                state.running -= 1;
                state.mean = (state.mean * 7 + started.elapsed()) / 8;
            } else if state.closed {
                return;
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long one more job would wait: those ahead of it, past the threads that are free.
    fn wait(&self, threads: u32) -> Duration {
        let ahead = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX).saturating_add(self.running);
        let behind = ahead.saturating_add(1).saturating_sub(threads);
        self.mean.saturating_mul(behind) / threads
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} threads", self.threads)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn pool(threads: u32) -> HashingPool {
        HashingPool::start(NonZeroU32::new(threads).unwrap()).unwrap()
    }

    /// LOGIN-006
    #[tokio::test]
    async fn work_that_would_wait_more_than_200_ms_is_refused_with_a_time_to_come_back() {
        let pool = pool(2);
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let mut begun = Vec::new();
        let refused = loop {
            let gate = Arc::clone(&gate);
            let mut run = Box::pin(pool.run(move || gate.lock().unwrap().recv().is_ok()));
            match futures_util::poll!(&mut run) {
                std::task::Poll::Ready(outcome) => break outcome,
                std::task::Poll::Pending => begun.push(run),
            }
            assert!(begun.len() < 1_000, "the queue has no bound");
        };
        assert_eq!(refused, Err(Busy { retry_after: Duration::from_secs(1) }));
        // 200 ms at 30 ms a job on two threads: two that run and thirteen that wait.
        assert_eq!(begun.len(), 15);
        begun.iter().for_each(|_| open.send(()).unwrap());
        for run in begun {
            assert_eq!(run.await, Ok(true));
        }
        assert_eq!(pool.waiting(), 0);
    }

    #[tokio::test]
    async fn work_that_panics_costs_no_thread() {
        let pool = pool(1);
        assert!(pool.run(|| panic!("in a hash")).await.is_err());
        assert_eq!(pool.run(|| 7).await, Ok(7));
    }
}
