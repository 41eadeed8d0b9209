//! Between requests and the writer: one lock, one wake-up a batch.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use durward_base::Duration;
use durward_model::Event;
use durward_net::RecordError;
use tokio::sync::{Notify, oneshot};

/// Resolves when the batch that an event was in is on disk, or could not be written.
pub(super) type Written = oneshot::Receiver<Result<(), RecordError>>;

/// A batch is written when it is this old or this long, or at once when somebody waits for it.
const BATCH_AGE: Duration = Duration::from_millis(50);
const BATCH_EVENTS: usize = 2_500;

pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    room: Notify,
    capacity: usize,
}

#[derive(Default)]
struct State {
    batch: Batch,
    idle: bool,
    closed: bool,
}

/// What the writer takes at a time.
#[derive(Default)]
pub(super) struct Batch {
    /// The events, in the order in which they came.
    pub(super) events: Vec<Event>,
    /// Who waits for them.
    pub(super) waiting: Vec<oneshot::Sender<Result<(), RecordError>>>,
    /// How many there was no room for.
    pub(super) lost: u64,
    /// Nothing comes after this.
    pub(super) last: bool,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self { state: Mutex::default(), wake: Condvar::new(), room: Notify::new(), capacity }
    }

    /// Queues an event, or counts it when there is no room.
    pub(super) fn push(&self, event: Event) {
        let mut state = self.lock();
        if state.batch.events.len() >= self.capacity || state.closed {
            state.batch.lost += 1;
            return;
        }
        state.batch.events.push(event);
        let wake = std::mem::take(&mut state.idle) || state.batch.events.len() == BATCH_EVENTS;
        drop(state);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Queues events that somebody waits for, all or none: gives them back when there is no room.
    pub(super) fn push_durable(&self, mut events: Vec<Event>) -> Result<Written, Vec<Event>> {
        let (done, written) = oneshot::channel();
        let mut state = self.lock();
        if !state.batch.events.is_empty() && state.batch.events.len() + events.len() > self.capacity {
            return Err(events);
        }
        if !state.closed {
            state.batch.events.append(&mut events);
            self.wait(state, done);
        }
        Ok(written)
    }

    /// The same, once there is room; `None` when there is none in time.
    pub(super) async fn push_when_there_is_room(&self, mut events: Vec<Event>, time: Duration) -> Option<Written> {
        let pushing = async {
            let mut room = std::pin::pin!(self.room.notified());
            loop {
                room.as_mut().enable();
                match self.push_durable(events) {
                    Ok(written) => break Some(written),
                    Err(refused) => events = refused,
                }
                room.as_mut().await;
                room.set(self.room.notified());
            }
        };
        tokio::time::timeout(time, pushing).await.ok().flatten()
    }

    /// Counts events that could not be taken in.
    pub(super) fn lose(&self, count: u64) {
        if count > 0 {
            self.lock().batch.lost += count;
        }
    }

    /// Resolves when everything queued so far is on disk.
    pub(super) fn flush(&self) -> Written {
        let (done, written) = oneshot::channel();
        let state = self.lock();
        if !state.closed {
            self.wait(state, done);
        }
        written
    }

    /// Lets the writer end after what is queued.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    pub(super) fn len(&self) -> usize {
        self.lock().batch.events.len()
    }

    /// Waits for the next batch; an empty one comes when there was nothing for `patience`.
    pub(super) fn take(&self, patience: Option<Duration>) -> Batch {
        let mut state = self.lock();
        let nothing = |state: &mut State| {
            let empty = state.batch.events.is_empty() && state.batch.waiting.is_empty() && !state.closed;
            state.idle = empty;
            empty
        };
        state = match patience {
            None => self.wake.wait_while(state, nothing).unwrap_or_else(PoisonError::into_inner),
            Some(patience) => self.wake.wait_timeout_while(state, patience, nothing).unwrap_or_else(PoisonError::into_inner).0,
        };
        state.idle = false;
        let begun = Instant::now();
        while !state.batch.events.is_empty() && !state.is_due() {
            let Some(left) = BATCH_AGE.checked_sub(begun.elapsed()) else { break };
            state = self.wake.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let next = Batch { events: Vec::with_capacity(state.batch.events.len().min(BATCH_EVENTS)), ..Batch::default() };
        let mut batch = std::mem::replace(&mut state.batch, next);
        batch.last = state.closed;
        drop(state);
        self.room.notify_waiters();
        batch
    }

    fn wait(&self, mut state: MutexGuard<'_, State>, done: oneshot::Sender<Result<(), RecordError>>) {
        state.batch.waiting.push(done);
        // The writer looks again only when it finds somebody waiting for the first time.
        let wake = state.batch.waiting.len() == 1;
        state.idle = false;
        drop(state);
        if wake {
            self.wake.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_due(&self) -> bool {
        self.closed || !self.batch.waiting.is_empty() || self.batch.events.len() >= BATCH_EVENTS
    }
}
