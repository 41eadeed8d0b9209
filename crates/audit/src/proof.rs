//! RFC 6962 sections 2.1.1 and 2.1.2: inclusion and consistency proofs; verified as in RFC 9162 sections 2.1.3.2 and 2.1.4.2.

use crate::{Hash, Tree};

/// PATH(index, leaves): the hashes that lead from one leaf to the root. `None` when there is no such leaf.
pub fn inclusion_proof(index: usize, leaves: &[Hash]) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut index, mut leaves) = (index, leaves);
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if index < left.len() {
            path.push(root(right));
            leaves = left;
        } else {
            path.push(root(left));
            index -= left.len();
            leaves = right;
        }
    }
    path.reverse();
    Some(path)
}

/// PROOF(old, leaves): the hashes that show the tree of the first `old` leaves to be a prefix of the whole. `None` when `old` is 0 or
/// more than there are.
pub fn consistency_proof(old: usize, leaves: &[Hash]) -> Option<Vec<Hash>> {
    if old == 0 || old > leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut old, mut leaves, mut is_prefix) = (old, leaves, true);
    while old < leaves.len() {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if old <= left.len() {
            path.push(root(right));
            leaves = left;
        } else {
            path.push(root(left));
            old -= left.len();
            leaves = right;
            is_prefix = false;
        }
    }
    if !is_prefix {
        path.push(root(leaves));
    }
    path.reverse();
    Some(path)
}

/// Whether `path` leads from `leaf`, the entry `index` of `size`, to `root`.
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash], root: Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            hash = Hash::node(*sibling, hash);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            hash = Hash::node(hash, *sibling);
        }
        node /= 2;
        last /= 2;
    }
    last == 0 && hash == root
}

/// Whether `path` shows that the tree of `old_size` entries under `old_root` is a prefix of that of `size` entries under `root`.
pub fn verify_consistency(old_size: u64, old_root: Hash, size: u64, root: Hash, path: &[Hash]) -> bool {
    if old_size == 0 || old_size > size {
        return false;
    }
    if old_size == size {
        return path.is_empty() && old_root == root;
    }
    let mut path = path.iter().copied();
    let start = if old_size.is_power_of_two() { Some(old_root) } else { path.next() };
    let Some(start) = start else { return false };
    let shift = (old_size - 1).trailing_ones();
    let (mut node, mut last) = ((old_size - 1) >> shift, (size - 1) >> shift);
    let (mut old_hash, mut hash) = (start, start);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            old_hash = Hash::node(sibling, old_hash);
            hash = Hash::node(sibling, hash);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            hash = Hash::node(hash, sibling);
        }
        node /= 2;
        last /= 2;
    }
    last == 0 && old_hash == old_root && hash == root
}

fn root(leaves: &[Hash]) -> Hash {
    leaves.iter().copied().collect::<Tree>().root()
}

/// "Let k be the largest power of two smaller than n."
fn split(n: usize) -> usize {
    n.next_power_of_two() / 2
}

#[cfg(test)]
mod tests;
