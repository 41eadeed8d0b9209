//! How a journal stands.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::watch;

/// How a journal stands: for readiness and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalStatus {
    /// Events on disk.
    pub size: u64,
    /// Events waiting for the writer.
    pub queued: usize,
    /// Events lost since the start; each is or will be in a gap record.
    pub lost: u64,
    /// Whether the last batch reached the disk. While it did not, denials and changes are answered 503 and the node is not ready.
    pub available: bool,
}

pub(super) struct Status {
    size: watch::Sender<u64>,
    lost: AtomicU64,
    available: AtomicBool,
}

impl Status {
    pub(super) fn new(size: u64) -> Self {
        Self { size: watch::Sender::new(size), lost: AtomicU64::new(0), available: AtomicBool::new(true) }
    }

    pub(super) fn written(&self, size: u64) {
        self.available.store(true, Ordering::Relaxed);
        self.size.send_replace(size);
    }

    pub(super) fn failed(&self) {
        self.available.store(false, Ordering::Relaxed);
    }

    pub(super) fn lost(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn grown(&self) -> watch::Receiver<u64> {
        self.size.subscribe()
    }

    pub(super) fn read(&self, queued: usize) -> JournalStatus {
        JournalStatus {
            size: *self.size.borrow(),
            queued,
            lost: self.lost.load(Ordering::Relaxed),
            available: self.available.load(Ordering::Relaxed),
        }
    }
}
