//! Reading a journal while it is written: find, verify, read along.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use durward_audit::{BATCH_LIMIT, Checkpoint, EVENT_LIMIT, FRAME_OVERHEAD, Frames, Hash, NoteVerifier, Query, Tree, decode};
use durward_base::{Duration, Timestamp};
use durward_model::Event;

use super::JournalError;
use super::log::CHECKPOINT;
use super::segment::{self, Segment};

/// An event is recorded when its request ends, this long after its time at most.
const LATE: Duration = Duration::from_secs(3600);
/// How far the clocks of two nodes may differ.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(60);

/// The files of a journal.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    directory: PathBuf,
    verifier: NoteVerifier,
}

/// A journal whose every record stands where its checkpoints say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Records.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Checkpoints that were compared.
    pub checkpoints: usize,
    /// Events that gaps declare lost.
    pub lost: u64,
}

/// What was removed of a journal for its age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// How many events.
    pub events: u64,
    /// The number of the first event that is left; zero when none was removed.
    pub up_to: u64,
}

/// How far somebody has read along.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The number of the next record.
    pub(crate) index: u64,
    spot: Option<(PathBuf, u64)>,
}

impl Place {
    /// Before the record of this number.
    pub(crate) const fn at(index: u64) -> Self {
        Self { index, spot: None }
    }
}

impl Reader {
    pub(super) const fn new(directory: PathBuf, verifier: NoteVerifier) -> Self {
        Self { directory, verifier }
    }

    /// Where the files are.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn find(&self, query: &Query, limit: usize) -> Result<Vec<Event>, JournalError> {
        self.find_where(query, limit, &|event| query.matches(event))
    }

    /// The events that `wanted` takes, looked for where those of `query` can be.
    pub(super) fn find_where(&self, query: &Query, limit: usize, wanted: &dyn Fn(&Event) -> bool) -> Result<Vec<Event>, JournalError> {
        let earliest = query.earliest().map(|earliest| earliest - CLOCK_DIFFERENCE);
        let latest = query.to.map(|to| to + LATE);
        let mut found = Vec::new();
        let mut next: Option<Segment> = None;
        for segment in self.segments()?.into_iter().rev() {
            if found.len() >= limit || next.as_ref().is_some_and(|next| earliest.is_some_and(|earliest| next.header.created() < earliest)) {
                break;
            }
            if latest.is_none_or(|latest| segment.header.created() <= latest) {
                self.find_in(&segment, next.as_ref(), wanted, limit, &mut found)?;
            }
            next = Some(segment);
        }
        // The newest recorded come first already; of one moment they stay so.
        found.sort_by_key(|event| std::cmp::Reverse(event.time));
        Ok(found)
    }

    fn find_in(
        &self,
        segment: &Segment,
        next: Option<&Segment>,
        wanted: &dyn Fn(&Event) -> bool,
        limit: usize,
        found: &mut Vec<Event>,
    ) -> Result<(), JournalError> {
        let bytes = read(segment)?;
        let count = next.map_or(u64::MAX, |next| next.first().saturating_sub(segment.first()));
        let records: Vec<_> = Frames::new(&bytes).take(usize::try_from(count).unwrap_or(usize::MAX)).map(|frame| frame.record).collect();
        for (index, record) in records.iter().enumerate().rev() {
            if found.len() >= limit {
                break;
            }
            let event = decode(record).map_err(|_| {
                let index = segment.first() + u64::try_from(index).unwrap_or_default();
                altered(&segment.path, index, "is no event")
            })?;
            if wanted(&event) {
                found.push(event);
            }
        }
        Ok(())
    }

    /// Verifies the records that `written`, asked once the newest checkpoint is read, says are there: behind them somebody writes.
    pub(super) fn verify(&self, written: impl Fn() -> u64) -> Result<Verified, JournalError> {
        let path = self.directory.join(CHECKPOINT);
        let newest = match std::fs::read_to_string(&path) {
            Ok(note) => Some(self.open_checkpoint(&note, &path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(cause) => return Err(JournalError::Disk { path, cause }),
        };
        let agrees = |tree: &Tree| newest.as_ref().is_none_or(|newest| newest.size != tree.size() || newest.root == tree.root());
        let written = written();
        let mut segments = self.segments()?;
        segments.retain(|segment| segment.first() <= written);
        let mut tree = segments.first().map(|first| first.header.tree.clone()).unwrap_or_default();
        let mut lost = 0;
        for (position, segment) in segments.iter().enumerate() {
            if segment.header.tree != tree {
                return Err(altered(&segment.path, tree.size(), "does not follow from the segment before"));
            }
            let signed = self.open_checkpoint(&segment.header.checkpoint, &segment.path)?;
            if (signed.size, signed.root) != (tree.size(), tree.root()) {
                return Err(altered(&segment.path, tree.size(), "is under another root than was signed"));
            }
            let end = segments.get(position + 1).map_or(written, Segment::first);
            lost += verify_segment(segment, end, &mut tree, agrees)?;
        }
        if !agrees(&tree) {
            return Err(altered(&self.directory, tree.size(), "or one before it is not what was signed"));
        }
        if newest.as_ref().is_some_and(|newest| newest.size > tree.size()) {
            return Err(altered(&self.directory, tree.size(), "is missing: the newest checkpoint counts more"));
        }
        let checkpoints = segments.len() + usize::from(newest.is_some());
        Ok(Verified { size: tree.size(), root: tree.root(), checkpoints, lost })
    }

    /// The records from `place` on, at most so many and up to the record `end`; `place` moves on behind them.
    pub(crate) fn next(&self, place: &mut Place, end: u64, limit: usize) -> Result<Vec<Event>, JournalError> {
        if place.index >= end {
            return Ok(Vec::new());
        }
        let (path, offset) = match place.spot.take() {
            Some(spot) => spot,
            None => self.locate(place)?,
        };
        let failed = |cause| JournalError::Disk { path: path.clone(), cause };
        let mut bytes = vec![0; BATCH_LIMIT];
        let file = File::open(&path).map_err(failed)?;
        let length = read_at(&file, &mut bytes, offset).map_err(failed)?;
        bytes.truncate(length);
        let limit = limit.min(usize::try_from(end - place.index).unwrap_or(usize::MAX));
        let mut frames = Frames::new(&bytes);
        let mut events = Vec::new();
        for frame in frames.by_ref().take(limit) {
            let index = place.index;
            events.push(decode(frame.record).map_err(|_| altered(&path, index, "is no event"))?);
            place.index += 1;
        }
        // Without a spot the next call looks for the segment that holds the next record.
        if !events.is_empty() {
            place.spot = Some((path, offset + u64::try_from(frames.read()).unwrap_or(u64::MAX)));
        }
        Ok(events)
    }

    /// Removes the segments all of whose records were written before this moment, oldest first, each once its records are found to be
    /// those that were signed. What was altered is evidence, and stays with all behind it.
    pub(super) fn prune(&self, before: Timestamp) -> Result<Pruned, JournalError> {
        let segments = self.segments()?;
        let mut pruned = Pruned::default();
        for (segment, next) in segments.iter().zip(segments.iter().skip(1)).take_while(|(_, next)| next.header.created() < before) {
            let mut tree = segment.header.tree.clone();
            verify_segment(segment, next.first(), &mut tree, |_| true)?;
            let signed = self.open_checkpoint(&next.header.checkpoint, &next.path)?;
            if tree != next.header.tree || (signed.size, signed.root) != (tree.size(), tree.root()) {
                return Err(altered(&segment.path, next.first(), "or one before it is not what was signed"));
            }
            std::fs::remove_file(&segment.path).map_err(|cause| JournalError::Disk { path: segment.path.clone(), cause })?;
            pruned.events += next.first() - segment.first();
            pruned.up_to = next.first();
        }
        Ok(pruned)
    }

    /// Removes the segments all of whose records are below `index`.
    pub(crate) fn remove_below(&self, index: u64) -> Result<(), JournalError> {
        let segments = self.segments()?;
        for (segment, _) in segments.iter().zip(segments.iter().skip(1)).take_while(|(_, next)| next.first() <= index) {
            std::fs::remove_file(&segment.path).map_err(|cause| JournalError::Disk { path: segment.path.clone(), cause })?;
        }
        Ok(())
    }

    /// Where the record of this number begins. Records already removed are passed over.
    fn locate(&self, place: &mut Place) -> Result<(PathBuf, u64), JournalError> {
        let mut segments = self.segments()?;
        let behind = segments.iter().rposition(|segment| segment.first() <= place.index).unwrap_or_default();
        if segments.is_empty() {
            return Err(altered(&self.directory, place.index, "is missing"));
        }
        let segment = segments.swap_remove(behind);
        place.index = place.index.max(segment.first());
        let bytes = read(&segment)?;
        let mut frames = Frames::new(&bytes);
        let skip = usize::try_from(place.index - segment.first()).unwrap_or(usize::MAX);
        let skipped = frames.by_ref().take(skip).count();
        if skipped < skip {
            return Err(altered(&segment.path, place.index, "is missing"));
        }
        Ok((segment.path, segment.start + u64::try_from(frames.read()).unwrap_or(u64::MAX)))
    }

    fn segments(&self) -> Result<Vec<Segment>, JournalError> {
        segment::list(&self.directory).map_err(|cause| JournalError::Disk { path: self.directory.clone(), cause })
    }

    fn open_checkpoint(&self, note: &str, path: &Path) -> Result<Checkpoint, JournalError> {
        Checkpoint::open(note, &self.verifier).map_err(|cause| JournalError::Checkpoint { path: path.to_owned(), cause })
    }
}

/// Appends a segment's records to `tree`, up to the record `end`, asking `agrees` at each; gives how many events its gaps declare lost.
fn verify_segment(segment: &Segment, end: u64, tree: &mut Tree, agrees: impl Fn(&Tree) -> bool) -> Result<u64, JournalError> {
    let bytes = read(segment)?;
    let mut frames = Frames::new(&bytes);
    let mut lost = 0;
    while tree.size() < end {
        if !agrees(tree) {
            return Err(altered(&segment.path, tree.size(), "or one before it is not what was signed"));
        }
        let Some(frame) = frames.next() else { return Err(altered(&segment.path, tree.size(), "is damaged or missing")) };
        let event = decode(frame.record).map_err(|_| altered(&segment.path, tree.size(), "is no event"))?;
        lost += event.lost;
        tree.append(frame.leaf);
    }
    Ok(lost)
}

fn read(segment: &Segment) -> Result<Vec<u8>, JournalError> {
    segment.records().map_err(|cause| JournalError::Disk { path: segment.path.clone(), cause })
}

fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = bytes.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + u64::try_from(length).unwrap_or(u64::MAX))? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

fn altered(path: &Path, index: u64, what: &'static str) -> JournalError {
    JournalError::Altered { segment: path.to_owned(), index, what }
}

/// A batch read holds at least one whole record.
const _: () = assert!(BATCH_LIMIT > EVENT_LIMIT + FRAME_OVERHEAD);
