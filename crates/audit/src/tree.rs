//! RFC 6962 section 2.1: the tree as it grows, kept as the roots of its complete subtrees.

use minicbor::{Decode, Encode};

use crate::Hash;

/// A tree that can be appended to: its size, and the root of each complete subtree from the largest to the smallest.
/// A tree of a billion events is thirty hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Tree {
    #[n(0)]
    size: u64,
    #[n(1)]
    frontier: Vec<Hash>,
}

impl Tree {
    /// A tree without entries.
    pub const fn new() -> Self {
        Self { size: 0, frontier: Vec::new() }
    }

    /// The tree with this state, as stored; `None` when no tree of that size has so many complete subtrees.
    pub fn from_parts(size: u64, frontier: Vec<Hash>) -> Option<Self> {
        let tree = Self { size, frontier };
        tree.is_sound().then_some(tree)
    }

    /// Whether a decoded state can be one.
    pub fn is_sound(&self) -> bool {
        usize::try_from(self.size.count_ones()).is_ok_and(|subtrees| subtrees == self.frontier.len())
    }

    /// How many entries it has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its complete subtrees, from the largest to the smallest.
    pub fn frontier(&self) -> &[Hash] {
        &self.frontier
    }

    /// Appends an entry by its leaf hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut subtree = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.frontier.pop() {
                subtree = Hash::node(left, subtree);
            }
        }
        self.frontier.push(subtree);
        self.size += 1;
    }

    /// The Merkle Tree Hash.
    pub fn root(&self) -> Hash {
        let mut subtrees = self.frontier.iter().rev().copied();
        let Some(smallest) = subtrees.next() else { return Hash::of_nothing() };
        subtrees.fold(smallest, |right, left| Hash::node(left, right))
    }
}

impl FromIterator<Hash> for Tree {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut tree = Self::new();
        leaves.into_iter().for_each(|leaf| tree.append(leaf));
        tree
    }
}
