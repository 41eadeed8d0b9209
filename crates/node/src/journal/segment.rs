//! One file of a journal: a mark, a header with the tree as it was at its beginning, then records.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use durward_audit::{EVENT_LIMIT, Frames, Tree, is_zero, write_frame};
use durward_base::Timestamp;
use minicbor::{Decode, Encode};

const MARK: &[u8] = b"durward journal\n";
const EXTENSION: &str = "segment";
/// Bytes read to find a header: a tree of 2^64 events is 64 hashes, and a checkpoint less than a kilobyte.
const HEADER_LIMIT: u64 = 8192;
/// Bytes read at a time.
const BLOCK: u64 = 64 * 1024;

/// What a segment says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Header {
    /// The tree over everything before its first record.
    #[n(0)]
    pub(super) tree: Tree,
    /// When it was begun, in milliseconds: nothing in it was recorded before.
    #[n(1)]
    created: i64,
    /// The checkpoint of that tree, signed.
    #[n(2)]
    pub(super) checkpoint: String,
}

/// A segment on disk.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// The file.
    pub(super) path: PathBuf,
    /// What it says of itself.
    pub(super) header: Header,
    /// Where its records begin.
    pub(super) start: u64,
}

impl Header {
    pub(super) const fn new(tree: Tree, created: Timestamp, checkpoint: String) -> Self {
        Self { tree, created: created.millis(), checkpoint }
    }

    pub(super) const fn created(&self) -> Timestamp {
        Timestamp::from_millis(self.created)
    }

    /// The beginning of a file with this header.
    #[allow(clippy::expect_used, reason = "encoding fails only where writing does, and writing to memory does not")]
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = MARK.to_vec();
        write_frame(&mut bytes, &minicbor::to_vec(self).expect("a header encodes"));
        bytes
    }

    /// The header at the beginning of a file, and where the records begin.
    fn decode(bytes: &[u8]) -> Option<(Self, u64)> {
        let mut frames = Frames::new(bytes.strip_prefix(MARK)?);
        let header: Self = minicbor::decode(frames.next()?.record).ok()?;
        let start = u64::try_from(MARK.len() + frames.read()).ok()?;
        header.tree.is_sound().then_some((header, start))
    }
}

impl Segment {
    /// The number of its first record.
    pub(super) const fn first(&self) -> u64 {
        self.header.tree.size()
    }

    /// The bytes behind its header, without most of the space that was set aside and never written: that would be megabytes of zeros.
    pub(super) fn records(&self) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.start))?;
        let (mut bytes, mut zeros) = (Vec::new(), 0);
        let mut block = Vec::new();
        while file.by_ref().take(BLOCK).read_to_end(&mut block)? > 0 {
            if is_zero(&block) {
                zeros += block.len();
            } else {
                bytes.resize(bytes.len() + std::mem::take(&mut zeros), 0);
                bytes.extend_from_slice(&block);
            }
            block.clear();
        }
        // The last record may end in zeros.
        bytes.resize(bytes.len() + zeros.min(EVENT_LIMIT), 0);
        Ok(bytes)
    }
}

/// The path of a segment.
pub(super) fn path(directory: &Path, ordinal: u64) -> PathBuf {
    directory.join(format!("{ordinal:08}")).with_extension(EXTENSION)
}

/// All segments, in order. A file whose header is not whole was being made when the power went, and holds nothing.
pub(super) fn list(directory: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for (_, path) in files(directory)? {
        let mut head = Vec::new();
        File::open(&path)?.take(HEADER_LIMIT).read_to_end(&mut head)?;
        if let Some((header, start)) = Header::decode(&head) {
            segments.push(Segment { path, header, start });
        }
    }
    Ok(segments)
}

/// A number that no file has yet.
pub(super) fn next_ordinal(directory: &Path) -> io::Result<u64> {
    Ok(files(directory)?.last().map_or(1, |(ordinal, _)| ordinal + 1))
}

fn files(directory: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let ordinal = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let (Some(ordinal), true) = (ordinal, path.extension().is_some_and(|extension| extension == EXTENSION)) {
            files.push((ordinal, path));
        }
    }
    files.sort();
    Ok(files)
}
