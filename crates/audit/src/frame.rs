//! Records one after another in a file, each with its length and a checksum, so that a torn end is found.

use crate::{EVENT_LIMIT, Hash};

/// Bytes before each record: its length (`u32`, little-endian) and the first eight bytes of its leaf hash, which is computed anyway.
pub const FRAME_OVERHEAD: usize = 12;

/// Appends a record to `out` and gives its leaf hash. An empty record has no frame: zeros mean that nothing was written yet.
pub fn write_frame(out: &mut Vec<u8>, record: &[u8]) -> Hash {
    let leaf = Hash::leaf(record);
    let length = u32::try_from(record.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend(leaf.as_bytes().iter().take(FRAME_OVERHEAD - 4));
    out.extend_from_slice(record);
    leaf
}

/// One record found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The record.
    pub record: &'a [u8],
    /// Its leaf hash, verified against the frame.
    pub leaf: Hash,
}

/// What follows the last whole record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Nothing, or zeros.
    Clean,
    /// Bytes that are no whole record: so many up to the last that is not zero.
    Torn(usize),
}

/// The records in a file's bytes, in order, up to the first that is not whole.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    rest: &'a [u8],
    read: usize,
}

impl<'a> Frames<'a> {
    /// Reads from the beginning of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, read: 0 }
    }

    /// How many bytes the records given so far take.
    pub const fn read(&self) -> usize {
        self.read
    }

    /// What follows the records given so far, when `next` has ended.
    pub fn tail(&self) -> Tail {
        if is_zero(self.rest) { Tail::Clean } else { Tail::Torn(self.rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)) }
    }
}

/// Whether nothing was written here.
pub fn is_zero(bytes: &[u8]) -> bool {
    // By the block: a search for the first byte that is not zero goes byte by byte.
    bytes.chunks(4096).all(|block| block.iter().fold(0, |all, byte| all | byte) == 0)
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        let (check, rest) = rest.split_first_chunk::<{ FRAME_OVERHEAD - 4 }>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| (1..=EVENT_LIMIT).contains(length))?;
        let (record, rest) = rest.split_at_checked(length)?;
        let leaf = Hash::leaf(record);
        if !leaf.as_bytes().starts_with(check) {
            return None;
        }
        self.rest = rest;
        self.read += FRAME_OVERHEAD + length;
        Some(Frame { record, leaf })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(records: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for record in records {
            write_frame(&mut bytes, record);
        }
        bytes
    }

    fn records() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 1..8)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_and_zeros_behind_it_are_nothing(records in records(), zeros in 0usize..64) {
            let mut bytes = file(&records);
            let written = bytes.len();
            bytes.resize(written + zeros, 0);
            let mut frames = Frames::new(&bytes);
            let read: Vec<_> = frames.by_ref().map(|frame| frame.record.to_vec()).collect();
            prop_assert_eq!(read, records);
            prop_assert_eq!((frames.read(), frames.tail()), (written, Tail::Clean));
        }

        #[test]
        fn a_torn_end_gives_every_record_before_it(records in records(), cut in any::<prop::sample::Index>()) {
            let bytes = file(&records);
            let kept = cut.index(bytes.len());
            let mut frames = Frames::new(bytes.get(..kept).unwrap());
            let read = frames.by_ref().count();
            prop_assert_eq!(file(&records[..read]).len(), frames.read());
            prop_assert!(read < records.len() && frames.read() <= kept);
        }

        #[test]
        fn a_flipped_bit_ends_the_reading_there(records in records(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut bytes = file(&records);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let mut frames = Frames::new(&bytes);
            let read = frames.by_ref().count();
            prop_assert!(read < records.len() && frames.read() <= at);
            prop_assert!(matches!(frames.tail(), Tail::Torn(_)));
        }
    }
}
