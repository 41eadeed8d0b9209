//! A node's side of the feed as a state machine: frames in, knowledge and its age out.

use durward_base::{Duration, Timestamp};
use durward_model::{Position, Record};

use crate::{Applied, ClockDifference, Frame, Gap, Snapshot, Staleness, check_clock};

/// What a node knows and how it stands to the feed.
#[derive(Debug, Clone, Default)]
pub struct Follower {
    snapshot: Snapshot,
    staleness: Staleness,
    stream: Stream,
}

/// What a frame did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// The stream began; a heartbeat comes this often.
    Greeted {
        /// How often.
        heartbeat: Duration,
    },
    /// What is known changed.
    Changed,
    /// What is known was confirmed to be all.
    Confirmed,
    /// Nothing.
    Nothing,
}

/// The stream cannot be followed further: close it and ask again from `position`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowerError {
    /// Changes are missing.
    #[error(transparent)]
    Gap(Gap),
    /// The clocks are too far apart.
    #[error(transparent)]
    Clock(ClockDifference),
    /// A frame came out of its turn.
    #[error("the feed sent {0} out of turn")]
    OutOfTurn(&'static str),
}

#[derive(Debug, Clone, Default)]
enum Stream {
    #[default]
    Closed,
    Open,
    Resynchronising {
        position: Position,
        records: Vec<Record>,
    },
}

impl Follower {
    /// A node that begins with what it kept on its disk, or with nothing.
    pub fn new(kept: Option<Snapshot>) -> Self {
        Self { snapshot: kept.unwrap_or_default(), ..Self::default() }
    }

    /// What is known.
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Since when it is not confirmed.
    pub const fn staleness(&self) -> Staleness {
        self.staleness
    }

    /// Where to ask the next stream to go on.
    pub const fn position(&self) -> Position {
        self.snapshot.position()
    }

    /// Forgets a stream that ended, whatever it had begun to send.
    pub fn disconnect(&mut self) {
        self.stream = Stream::Closed;
    }

    /// Forgets revocations that have expired; returns how many.
    pub fn expire(&mut self, now: Timestamp) -> usize {
        self.snapshot.expire(now)
    }

    /// Takes in the next frame of the stream, which arrived at `now`.
    ///
    /// # Errors
    /// `FollowerError` when the stream must be given up; what is known stays as it is and grows stale.
    pub fn accept(&mut self, frame: Frame, now: Timestamp) -> Result<Followed, FollowerError> {
        match (std::mem::take(&mut self.stream), frame) {
            (Stream::Closed, Frame::Hello { server_time, heartbeat_ms, .. }) => {
                check_clock(now, server_time).map_err(FollowerError::Clock)?;
                self.stream = Stream::Open;
                Ok(Followed::Greeted { heartbeat: Duration::from_millis(heartbeat_ms) })
            }
            (Stream::Open, Frame::Snapshot { position, records, complete }) => Ok(self.collect(position, records, complete)),
            (Stream::Resynchronising { position, mut records }, Frame::Snapshot { position: same, records: more, complete })
                if position == same =>
            {
                records.extend(more);
                Ok(self.collect(position, records, complete))
            }
            (Stream::Open, Frame::Delta(delta)) => {
                let applied = self.snapshot.advance(delta).map_err(FollowerError::Gap)?;
                self.stream = Stream::Open;
                Ok(if applied == Applied::Moved { Followed::Changed } else { Followed::Nothing })
            }
            (Stream::Open, Frame::Heartbeat { epoch, head_seq, time }) => {
                check_clock(now, time).map_err(FollowerError::Clock)?;
                let (known, found) = (self.position(), Position { epoch, seq: head_seq });
                if epoch != known.epoch || head_seq > known.seq {
                    return Err(FollowerError::Gap(Gap { known, found }));
                }
                self.stream = Stream::Open;
                self.staleness = Staleness::heard(now);
                Ok(Followed::Confirmed)
            }
            (_, Frame::Hello { .. }) => Err(FollowerError::OutOfTurn("a greeting")),
            (_, Frame::Snapshot { .. }) => Err(FollowerError::OutOfTurn("a part of a snapshot")),
            (_, Frame::Delta(_)) => Err(FollowerError::OutOfTurn("changes")),
            (_, Frame::Heartbeat { .. }) => Err(FollowerError::OutOfTurn("a heartbeat")),
        }
    }

    fn collect(&mut self, position: Position, records: Vec<Record>, complete: bool) -> Followed {
        if complete {
            self.stream = Stream::Open;
            self.snapshot.union(Snapshot::new(position, records));
            Followed::Changed
        } else {
            self.stream = Stream::Resynchronising { position, records };
            Followed::Nothing
        }
    }
}

#[cfg(test)]
mod tests;
