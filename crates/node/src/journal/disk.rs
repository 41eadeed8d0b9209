//! What the log asks of a disk, so that tests can have one that fails.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

pub(super) trait Disk: Send {
    /// A new file of this length, zeros throughout, whose name survives a power cut.
    fn create(&self, path: &Path, bytes: u64) -> io::Result<Box<dyn SegmentFile>>;

    /// A file that is there already.
    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>>;
}

pub(super) trait SegmentFile: Send {
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Waits until what was written survives a power cut. After an error nothing is known of what was written since the last success.
    fn sync(&self) -> io::Result<()>;
}

/// The file system.
pub(super) struct Files;

impl Disk for Files {
    fn create(&self, path: &Path, bytes: u64) -> io::Result<Box<dyn SegmentFile>> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        match rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
            // A file system that cannot set space aside gives a file with a hole.
            Err(rustix::io::Errno::OPNOTSUPP) => file.set_len(bytes)?,
            allocated => allocated?,
        }
        file.sync_all()?;
        sync_directory(path)?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(OpenOptions::new().write(true).open(path)?))
    }
}

impl SegmentFile for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Replaces a small file so that a reader, and a restart after a power cut, sees the old content or the new.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let file = File::create(&new)?;
    file.write_all_at(content, 0)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    sync_directory(path)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}
