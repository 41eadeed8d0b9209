//! The journal's one thread: batches out of the queue and onto the disk, a checkpoint each second, gaps declared.

use std::sync::Arc;
use std::time::Instant;

use durward_base::{Clock, Duration, EventId, Rng};
use durward_model::{Event, EventKind, Outcome};
use durward_net::RecordError;

use super::log::{Log, Recovery};
use super::queue::{Batch, Queue};
use super::status::Status;

/// How often what is on disk is signed.
const CHECKPOINT: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    log: Log,
    queue: Arc<Queue>,
    status: Arc<Status>,
    node: Arc<str>,
    clock: Clock,
    rng: Rng,
    lost: u64,
    cause: &'static str,
}

impl Writer {
    pub(super) fn new(log: Log, queue: Arc<Queue>, status: Arc<Status>, node: Arc<str>, clock: Clock, rng: Rng) -> Self {
        Self { log, queue, status, node, clock, rng, lost: 0, cause: "queue_full" }
    }

    pub(super) fn run(mut self, recovery: Recovery) {
        // However this thread ends, nobody waits for it afterwards.
        let _closing = CloseOnDrop(Arc::clone(&self.queue));
        let found = self.found(&recovery);
        if !found.is_empty() {
            self.write(Batch { events: found, ..Batch::default() });
        }
        let mut checkpointed = Instant::now();
        loop {
            // Whoever waits for nothing but a checkpoint or a gap to be written waits no longer than a second.
            let pending = self.lost > 0 || self.log.has_grown();
            let batch = self.queue.take(pending.then_some(CHECKPOINT));
            let last = batch.last;
            self.write(batch);
            if last || checkpointed.elapsed() >= CHECKPOINT {
                if let Err(error) = self.log.checkpoint() {
                    tracing::error!(%error, "the journal's checkpoint cannot be written");
                }
                checkpointed = Instant::now();
            }
            if last {
                return;
            }
        }
    }

    fn write(&mut self, batch: Batch) {
        let Batch { mut events, waiting, lost, .. } = batch;
        self.lose(lost, "queue_full");
        if self.lost > 0 {
            let detail = format!("{} events could not be recorded", self.lost);
            events.insert(0, self.gap(self.cause, self.lost, detail));
        }
        let written = if events.is_empty() { Ok(()) } else { self.append(&mut events) };
        match &written {
            Ok(()) => {
                self.lost = 0;
                self.status.written(self.log.size());
            }
            Err(error) => {
                tracing::error!(error = %error, events = events.len(), "the journal cannot be written: denials and changes are refused");
                let gaps = events.iter().filter(|event| event.kind == EventKind::Gap).count();
                self.lose(u64::try_from(events.len() - gaps).unwrap_or(u64::MAX), "write_failed");
                self.status.failed();
            }
        }
        for done in waiting {
            let _ = done.send(if written.is_ok() { Ok(()) } else { Err(RecordError) });
        }
    }

    /// Once more in a new segment when the present one fails, which is then said first.
    fn append(&mut self, events: &mut Vec<Event>) -> std::io::Result<()> {
        let now = self.clock.now();
        self.log.append(events, now).or_else(|error| {
            tracing::error!(%error, "a segment of the journal failed and is left behind");
            events.insert(0, self.gap("segment_failed", 0, format!("a segment failed ({}) and a new one was begun", error.kind())));
            self.log.append(events, now)
        })
    }

    fn lose(&mut self, count: u64, cause: &'static str) {
        if count > 0 {
            self.cause = cause;
            self.lost += count;
            self.status.lost(count);
        }
    }

    /// What was found at the start, as events.
    fn found(&self, recovery: &Recovery) -> Vec<Event> {
        let mut found = Vec::new();
        if recovery.torn > 0 {
            let detail = format!("{} bytes behind the last whole record were cut off", recovery.torn);
            found.push(self.gap("torn_tail", 0, detail));
        }
        if recovery.missing > 0 {
            let detail = format!("the last checkpoint counts {} records more than are there", recovery.missing);
            found.push(self.gap("records_missing", recovery.missing, detail));
        }
        found
    }

    fn gap(&self, reason: &str, lost: u64, detail: String) -> Event {
        let now = self.clock.now();
        let mut gap = Event::new(EventId::new(now, &self.rng), now, Arc::clone(&self.node), EventKind::Gap);
        gap.outcome = Outcome::Failed;
        gap.reason = Some(reason.to_owned());
        gap.detail = Some(detail);
        gap.lost = lost;
        gap
    }
}

struct CloseOnDrop(Arc<Queue>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
        drop(self.0.take(None));
    }
}
