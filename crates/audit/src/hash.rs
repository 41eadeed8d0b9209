//! RFC 6962 section 2.1: Merkle Hash Trees, the hash of a leaf and of a node.

use aws_lc_rs::digest::{Context, SHA256, digest};
use minicbor::{Decode, Encode};

/// A SHA-256 in the tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Hash(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl Hash {
    /// "The hash of an empty list is the hash of an empty string."
    pub fn of_nothing() -> Self {
        Self::from_digest(digest(&SHA256, b"").as_ref())
    }

    /// "The hash of a list with one entry (also known as a leaf hash)": SHA-256(0x00 || entry).
    pub fn leaf(entry: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&[0x00]);
        context.update(entry);
        Self::from_digest(context.finish().as_ref())
    }

    /// The hash of two subtrees: SHA-256(0x01 || left || right).
    pub fn node(left: Self, right: Self) -> Self {
        Self::from_digest(digest(&SHA256, &[&[0x01], &left.0[..], &right.0].concat()).as_ref())
    }

    /// The hash with these bytes, as stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, as stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn from_digest(digest: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest);
        Self(bytes)
    }
}

/// Lower-case hexadecimal.
impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash({self})")
    }
}
