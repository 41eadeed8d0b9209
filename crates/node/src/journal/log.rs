//! The log as its one writer has it: where the present segment ends, and the tree over everything.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use durward_audit::{Checkpoint, Frames, NoteKey, Tail, Tree, encode, write_frame};
use durward_base::Timestamp;
use durward_model::Event;

use super::JournalError;
use super::disk::{Disk, SegmentFile, replace};
use super::segment::{self, Header};

/// The file of the newest checkpoint.
pub(super) const CHECKPOINT: &str = "checkpoint";
const LOCK: &str = "lock";

pub(super) struct Log {
    disk: Box<dyn Disk>,
    directory: PathBuf,
    key: NoteKey,
    segment_bytes: u64,
    tree: Tree,
    open: Option<Open>,
    checkpointed: u64,
    frames: Vec<u8>,
    record: Vec<u8>,
    _lock: File,
}

/// The segment being written. Dropped after an error: nothing is known of its end then.
struct Open {
    file: Box<dyn SegmentFile>,
    path: PathBuf,
    end: u64,
    used: bool,
}

/// What was found when the log was opened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Recovery {
    /// Bytes behind the last whole record that are none.
    pub(super) torn: usize,
    /// Records that the last checkpoint counts and that are not there.
    pub(super) missing: u64,
}

impl Log {
    pub(super) fn open(
        disk: Box<dyn Disk>,
        directory: PathBuf,
        key: NoteKey,
        segment_bytes: u64,
    ) -> Result<(Self, Recovery), JournalError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| JournalError::Disk { path, cause }
        };
        private_directory(&directory).map_err(failed(&directory))?;
        let lock = lock(&directory)?;
        let mut log = Self {
            disk,
            key,
            segment_bytes,
            tree: Tree::new(),
            open: None,
            checkpointed: 0,
            frames: Vec::new(),
            record: Vec::new(),
            _lock: lock,
            directory: directory.clone(),
        };
        let mut recovery = Recovery::default();
        if let Some(last) = segment::list(&directory).map_err(failed(&directory))?.pop() {
            let bytes = last.records().map_err(failed(&last.path))?;
            let mut frames = Frames::new(&bytes);
            log.tree = last.header.tree.clone();
            frames.by_ref().for_each(|frame| log.tree.append(frame.leaf));
            match frames.tail() {
                Tail::Clean => {
                    let file = log.disk.open(&last.path).map_err(failed(&last.path))?;
                    let end = last.start + u64::try_from(frames.read()).unwrap_or(u64::MAX);
                    log.open = Some(Open { file, path: last.path, end, used: true });
                }
                // The next record goes into a new segment; what is left here stays as evidence and is read by nobody.
                Tail::Torn(bytes) => recovery.torn = bytes,
            }
        }
        if let Ok(note) = std::fs::read_to_string(directory.join(CHECKPOINT)) {
            let checkpoint = Checkpoint::open(&note, log.key.verifier())
                .map_err(|cause| JournalError::Checkpoint { path: directory.join(CHECKPOINT), cause })?;
            log.checkpointed = checkpoint.size;
            recovery.missing = checkpoint.size.saturating_sub(log.tree.size());
        }
        Ok((log, recovery))
    }

    /// How many records are on disk.
    pub(super) const fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Writes events and waits for the disk: all of them are on it, or an error says that none counts. After an error the next call
    /// begins a new segment, for a failed sync must never be taken back by a later one on the same file.
    pub(super) fn append(&mut self, events: &[Event], now: Timestamp) -> io::Result<()> {
        let mut open = match self.open.take() {
            Some(open) if open.end < self.segment_bytes => open,
            _ => self.begin(now)?,
        };
        let mut tree = self.tree.clone();
        self.frames.clear();
        for event in events {
            self.record.clear();
            encode(event, &mut self.record);
            tree.append(write_frame(&mut self.frames, &self.record));
        }
        if let Err(error) = open.file.write_at(&self.frames, open.end).and_then(|()| open.file.sync()) {
            if !open.used {
                let _ = std::fs::remove_file(&open.path);
            }
            return Err(error);
        }
        open.end += u64::try_from(self.frames.len()).unwrap_or(u64::MAX);
        open.used = true;
        self.open = Some(open);
        self.tree = tree;
        Ok(())
    }

    /// Whether there is more than at the last checkpoint.
    pub(super) const fn has_grown(&self) -> bool {
        self.checkpointed != self.tree.size()
    }

    /// Signs what is on disk, if there is more than at the last time.
    pub(super) fn checkpoint(&mut self) -> io::Result<()> {
        if self.has_grown() {
            replace(&self.directory.join(CHECKPOINT), Checkpoint::sign(&self.tree, &self.key).as_bytes())?;
            self.checkpointed = self.tree.size();
        }
        Ok(())
    }

    fn begin(&self, now: Timestamp) -> io::Result<Open> {
        let path = segment::path(&self.directory, segment::next_ordinal(&self.directory)?);
        let header = Header::new(self.tree.clone(), now, Checkpoint::sign(&self.tree, &self.key)).encode();
        let written = self.disk.create(&path, self.segment_bytes).and_then(|file| {
            file.write_at(&header, 0)?;
            Ok(file)
        });
        match written {
            Ok(file) => Ok(Open { file, path, end: u64::try_from(header.len()).unwrap_or(u64::MAX), used: false }),
            Err(error) => {
                let _ = std::fs::remove_file(&path);
                Err(error)
            }
        }
    }
}

/// A directory that only its owner may enter, also when it was there before.
fn private_directory(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o700))
}

fn lock(directory: &Path) -> Result<File, JournalError> {
    let path = directory.join(LOCK);
    let failed = |cause| JournalError::Disk { path: path.clone(), cause };
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(JournalError::InUse(directory.to_owned())),
        Err(std::fs::TryLockError::Error(cause)) => Err(failed(cause)),
    }
}
