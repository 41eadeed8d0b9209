//! Between the store's one feed and the nodes' many: each frame is encoded once, and who cannot keep up is let go.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use durward_base::{Clock, Duration, Timestamp};
use durward_feed::{Delta, Frame, FrameError, Snapshot};
use durward_model::Position;
use tokio::sync::broadcast;

/// How often a heartbeat comes.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(1);
/// Frames that a node may be behind before its stream is ended; it comes back where it stood, or for a snapshot.
const BEHIND: usize = 256;
/// Bytes of recent changes kept for nodes that come back.
const RECENT_BYTES: usize = 8 << 20;

/// What every open stream is sent.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// A line to pass on.
    Changes(Bytes),
    /// A line to pass on, and an occasion to ask whether the node may still be here.
    Heartbeat(Bytes),
    /// Nothing follows from what was sent: the stream ends, and the node asks anew.
    End,
}

/// The state of the feed and the streams that carry it.
pub(crate) struct Hub {
    state: Mutex<State>,
    streams: broadcast::Sender<Message>,
    clock: Clock,
}

#[derive(Default)]
struct State {
    snapshot: Option<Snapshot>,
    recent: VecDeque<Stretch>,
    recent_bytes: usize,
    confirmed: Option<Timestamp>,
    /// The present snapshot as frames, once somebody has needed it.
    encoded: Option<(Position, Vec<Bytes>)>,
}

/// Changes as they were sent.
struct Stretch {
    after: u64,
    through: u64,
    line: Bytes,
}

/// A stream as it begins.
pub(crate) struct Stream {
    /// What is sent at once.
    pub(crate) first: VecDeque<Bytes>,
    /// What comes then.
    pub(crate) rest: broadcast::Receiver<Message>,
}

impl Hub {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { state: Mutex::default(), streams: broadcast::Sender::new(BEHIND), clock }
    }

    /// Begins a stream for a node that stands at `since`: with the changes after it where they are kept, else with a snapshot. `None` while
    /// there is nothing to tell it: before the first snapshot, or when the node has heard of more elsewhere than is known here yet.
    pub(crate) fn subscribe(&self, since: Position) -> Result<Option<Stream>, FrameError> {
        let now = self.clock.now();
        let mut state = self.lock();
        let Some(snapshot) = state.snapshot.clone() else { return Ok(None) };
        let head = snapshot.position();
        if since.epoch == head.epoch && since.seq > head.seq {
            return Ok(None);
        }
        let oldest = state.recent.front().map_or(head.seq, |stretch| stretch.after);
        let hello = Frame::Hello {
            epoch: head.epoch,
            oldest_seq: oldest + 1,
            head_seq: head.seq,
            server_time: now,
            heartbeat_ms: u64::try_from(HEARTBEAT.as_millis()).unwrap_or(u64::MAX),
        };
        let mut first = VecDeque::from([line(&hello)?]);
        if since.epoch == head.epoch && since.seq >= oldest {
            first.extend(state.recent.iter().filter(|stretch| stretch.through > since.seq).map(|stretch| stretch.line.clone()));
        } else {
            first.extend(state.encoded(&snapshot)?);
        }
        // What is as fresh as a heartbeat is said to be so at once.
        if state.confirmed.is_some_and(|confirmed| now.since(confirmed) <= HEARTBEAT) {
            first.push_back(heartbeat(head, now)?);
        }
        Ok(Some(Stream { first, rest: self.streams.subscribe() }))
    }

    /// The state has moved on by these changes.
    pub(crate) fn moved(&self, snapshot: Snapshot, delta: Delta) -> Result<(), FrameError> {
        let (after, through) = (delta.after, delta.through);
        let line = line(&Frame::Delta(delta))?;
        let mut state = self.lock();
        state.snapshot = Some(snapshot);
        state.recent_bytes += line.len();
        state.recent.push_back(Stretch { after, through, line: line.clone() });
        while state.recent_bytes > RECENT_BYTES {
            let Some(oldest) = state.recent.pop_front() else { break };
            state.recent_bytes -= oldest.line.len();
        }
        // Nobody listening is no failure.
        let _ = self.streams.send(Message::Changes(line));
        Ok(())
    }

    /// The state is another one, and no changes lead to it: every stream begins anew.
    pub(crate) fn replaced(&self, snapshot: Snapshot) {
        *self.lock() = State { snapshot: Some(snapshot), ..State::default() };
        self.end();
    }

    /// The store was asked at this moment, and had nothing newer.
    pub(crate) fn confirmed(&self, asked: Timestamp) -> Result<(), FrameError> {
        let mut state = self.lock();
        state.confirmed = Some(asked);
        if let Some(snapshot) = &state.snapshot {
            let _ = self.streams.send(Message::Heartbeat(heartbeat(snapshot.position(), asked)?));
        }
        Ok(())
    }

    /// Ends every stream.
    pub(crate) fn end(&self) {
        let _ = self.streams.send(Message::End);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn encoded(&mut self, snapshot: &Snapshot) -> Result<Vec<Bytes>, FrameError> {
        let at = snapshot.position();
        if let Some((position, lines)) = &self.encoded
            && *position == at
        {
            return Ok(lines.clone());
        }
        let lines = Frame::snapshot(snapshot).iter().map(line).collect::<Result<Vec<_>, _>>()?;
        self.encoded = Some((at, lines.clone()));
        Ok(lines)
    }
}

fn heartbeat(head: Position, time: Timestamp) -> Result<Bytes, FrameError> {
    line(&Frame::Heartbeat { epoch: head.epoch, head_seq: head.seq, time })
}

fn line(frame: &Frame) -> Result<Bytes, FrameError> {
    frame.encode().map(Bytes::from)
}

#[cfg(test)]
mod tests;
