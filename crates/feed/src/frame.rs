//! The feed on the wire, first form: JSON lines (`application/x-ndjson`), one frame a line.

use durward_base::Timestamp;
use durward_model::{Change, Position, Record};
use serde::{Deserialize, Serialize};

use crate::{Snapshot, for_nodes};

/// The longest line accepted, in bytes without its end.
pub const MAXIMUM_LINE: usize = 8 << 20;

/// A snapshot is cut into frames of about this many bytes.
const SNAPSHOT_FRAME: usize = 1 << 20;

/// One line of the feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "snake_case", deny_unknown_fields)]
pub enum Frame {
    /// Comes first.
    Hello {
        /// The epoch of what follows.
        epoch: u64,
        /// The oldest change still kept: whoever stands before the one before it gets a snapshot.
        oldest_seq: u64,
        /// The newest change.
        head_seq: u64,
        /// The authority's time.
        server_time: Timestamp,
        /// How often a heartbeat comes, in milliseconds.
        heartbeat_ms: u64,
    },
    /// A part of the present state, sent to whoever cannot continue with changes.
    Snapshot {
        /// As of where.
        position: Position,
        /// What is so.
        records: Vec<Record>,
        /// Whether it is the last part.
        complete: bool,
    },
    /// A stretch of changes.
    Delta(Delta),
    /// Nothing was withheld up to here.
    Heartbeat {
        /// The epoch.
        epoch: u64,
        /// The newest change sent on this stream; a receiver that does not stand there has missed something.
        head_seq: u64,
        /// The authority's time.
        time: Timestamp,
    },
}

/// A stretch of the feed without a hole: every change after `after` up to `through`, but for those that are not for nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delta {
    /// The epoch.
    pub epoch: u64,
    /// The number of the change before the first.
    pub after: u64,
    /// The number of the last.
    pub through: u64,
    /// The changes, ascending.
    pub changes: Vec<Change>,
}

/// A line that is no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Longer than `MAXIMUM_LINE`.
    #[error("a line of the feed is longer than {MAXIMUM_LINE} bytes")]
    TooLong,
    /// Not JSON, or not of the shape of a frame.
    #[error("a line of the feed is not a frame (line {}, column {})", .0.line(), .0.column())]
    Malformed(#[source] serde_json::Error),
    /// A stretch that contradicts itself.
    #[error("a stretch of the feed names changes outside of itself or out of order")]
    Disordered,
}

impl Delta {
    /// The stretch that these changes of one epoch, dense and ascending, make on the wire; none when there are none.
    pub fn of(changes: Vec<Change>) -> Option<Self> {
        let first = changes.first()?.position;
        let last = changes.last()?.position;
        let kept = |change: Change| Some(Change { position: change.position, record: for_nodes(change.record)? });
        let changes = changes.into_iter().filter_map(kept).collect();
        Some(Self { epoch: first.epoch, after: first.seq.saturating_sub(1), through: last.seq, changes })
    }

    fn is_ordered(&self) -> bool {
        let within =
            |change: &Change| change.position.epoch == self.epoch && (self.after + 1..=self.through).contains(&change.position.seq);
        self.after < self.through
            && self.changes.iter().all(within)
            && self.changes.is_sorted_by(|left, right| left.position < right.position)
    }
}

impl Frame {
    /// The frames of a snapshot, without what is not for nodes.
    pub fn snapshot(snapshot: &Snapshot) -> Vec<Self> {
        let position = snapshot.position();
        let mut frames = Vec::new();
        let (mut records, mut size) = (Vec::new(), 0);
        for record in snapshot.records().filter_map(for_nodes) {
            size += serde_json::to_vec(&record).map_or(0, |bytes| bytes.len());
            records.push(record);
            if size >= SNAPSHOT_FRAME {
                frames.push(Self::Snapshot { position, records: std::mem::take(&mut records), complete: false });
                size = 0;
            }
        }
        frames.push(Self::Snapshot { position, records, complete: true });
        frames
    }

    /// The frame as one line, with its end.
    ///
    /// # Errors
    /// `TooLong` when no receiver would accept it.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let mut line = serde_json::to_vec(self).map_err(FrameError::Malformed)?;
        if line.len() > MAXIMUM_LINE {
            return Err(FrameError::TooLong);
        }
        line.push(b'\n');
        Ok(line)
    }

    /// The frame of one line, given without its end.
    ///
    /// # Errors
    /// `FrameError` when it is none.
    pub fn decode(line: &[u8]) -> Result<Self, FrameError> {
        if line.len() > MAXIMUM_LINE {
            return Err(FrameError::TooLong);
        }
        let frame = serde_json::from_slice(line).map_err(FrameError::Malformed)?;
        match &frame {
            Self::Delta(delta) if !delta.is_ordered() => Err(FrameError::Disordered),
            _ => Ok(frame),
        }
    }
}

/// Cuts a stream of bytes into frames, holding no more than one line.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    searched: usize,
}

impl FrameDecoder {
    /// Takes in what came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, if it is here. To be called until it gives none, after each `push`.
    ///
    /// # Errors
    /// `FrameError` when what came is no frame; the stream is to be given up then.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let rest = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(end) = rest.iter().position(|byte| *byte == b'\n').map(|offset| self.searched + offset) else {
            self.searched = self.buffer.len();
            return if self.searched > MAXIMUM_LINE { Err(FrameError::TooLong) } else { Ok(None) };
        };
        self.searched = 0;
        let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
        line.pop();
        Frame::decode(&line).map(Some)
    }
}

#[cfg(test)]
mod tests;
