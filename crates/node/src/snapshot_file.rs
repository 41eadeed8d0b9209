//! The snapshot on a node's disk, and when the authority was last heard of.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use durward_base::Timestamp;
use durward_feed::Snapshot;
use durward_model::Position;

use crate::journal::replace;

/// The two files.
pub(crate) struct SnapshotFile {
    snapshot: PathBuf,
    heard: PathBuf,
    /// What the first holds. Whoever writes holds the lock.
    kept: Mutex<Option<Position>>,
}

impl SnapshotFile {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { snapshot: directory.join("feed.snapshot"), heard: directory.join("feed.heard"), kept: Mutex::default() }
    }

    /// What was kept. A file that cannot be read is as good as none: the authority will be asked for everything.
    pub(crate) fn load(&self) -> Option<(Snapshot, Option<Timestamp>)> {
        let bytes = std::fs::read(&self.snapshot).ok()?;
        let snapshot = Snapshot::from_bytes(&bytes)
            .inspect_err(|error| tracing::warn!(path = %self.snapshot.display(), %error, "the kept snapshot is of no use"))
            .ok()?;
        let heard = std::fs::read_to_string(&self.heard).ok().and_then(|millis| millis.parse().ok());
        Some((snapshot, heard.map(Timestamp::from_millis)))
    }

    /// Keeps what is new: the snapshot when it has moved on, the time always.
    pub(crate) fn save(&self, snapshot: &Snapshot, heard: Option<Timestamp>) {
        if let Err(error) = self.try_save(snapshot, heard) {
            tracing::warn!(path = %self.snapshot.display(), %error, "the snapshot cannot be kept");
        }
    }

    fn try_save(&self, snapshot: &Snapshot, heard: Option<Timestamp>) -> std::io::Result<()> {
        let Some(heard) = heard else { return Ok(()) };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept != Some(snapshot.position()) {
            self.snapshot.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            replace(&self.snapshot, &snapshot.to_bytes().map_err(std::io::Error::other)?)?;
            *kept = Some(snapshot.position());
        }
        replace(&self.heard, heard.millis().to_string().as_bytes())
    }
}
