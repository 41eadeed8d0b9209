use proptest::prelude::*;

use super::*;

/// The eight entries that the certificate-transparency implementations share as their test tree.
const ENTRIES: [&str; 8] = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

/// The roots of the first 0 to 8 of them.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn known_leaves() -> Vec<Hash> {
    ENTRIES.iter().map(|entry| Hash::leaf(&hex::decode(entry).unwrap())).collect()
}

fn hash(text: &str) -> Hash {
    Hash::from_bytes(hex::decode(text).unwrap().try_into().unwrap())
}

#[test]
fn the_known_tree_has_its_known_roots_at_every_size() {
    let leaves = known_leaves();
    for (size, root) in ROOTS.iter().enumerate() {
        let tree: Tree = leaves[..size].iter().copied().collect();
        assert_eq!((tree.size(), tree.root().to_string().as_str()), (size as u64, *root));
    }
}

#[test]
fn the_known_tree_gives_its_known_proofs() {
    let leaves = known_leaves();
    let path = |hashes: &[&str]| Some(hashes.iter().map(|text| hash(text)).collect::<Vec<_>>());
    assert_eq!(inclusion_proof(0, &leaves[..1]), path(&[]));
    assert_eq!(
        inclusion_proof(0, &leaves),
        path(&[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ])
    );
    assert_eq!(consistency_proof(1, &leaves[..1]), path(&[]));
    assert_eq!(
        consistency_proof(6, &leaves),
        path(&[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ])
    );
}

#[test]
fn there_is_no_proof_of_what_is_not_there() {
    let leaves = known_leaves();
    assert_eq!((inclusion_proof(8, &leaves), consistency_proof(0, &leaves), consistency_proof(9, &leaves)), (None, None, None));
    assert!(!verify_inclusion(leaves[0], 8, 8, &[], leaves[0]));
    assert!(!verify_consistency(0, Hash::of_nothing(), 8, hash(ROOTS[8]), &[]));
    assert!(!verify_consistency(8, hash(ROOTS[8]), 7, hash(ROOTS[7]), &[]));
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|number| Hash::leaf(&number.to_be_bytes())).collect()
}

fn root_of(leaves: &[Hash]) -> Hash {
    leaves.iter().copied().collect::<Tree>().root()
}

proptest! {
    #[test]
    fn every_leaf_is_proven_and_no_other(count in 1usize..200, index in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let leaves = leaves(count);
        let (index, other) = (index.index(count), other.index(count));
        let path = inclusion_proof(index, &leaves).unwrap();
        let proves = |leaf: usize, path: &[Hash]| verify_inclusion(leaves[leaf], index as u64, count as u64, path, root_of(&leaves));
        prop_assert!(proves(index, &path));
        prop_assert_eq!(proves(other, &path), other == index);
        let mut longer = path.clone();
        longer.push(leaves[0]);
        prop_assert!(!proves(index, &longer));
        prop_assert!(path.is_empty() || !proves(index, &path[1..]));
    }

    #[test]
    fn every_prefix_is_proven_and_no_rewritten_one(count in 1usize..200, old in any::<prop::sample::Index>()) {
        let leaves = leaves(count);
        let old = old.index(count) + 1;
        let path = consistency_proof(old, &leaves).unwrap();
        let mut rewritten = leaves[..old].to_vec();
        rewritten[old / 2] = Hash::leaf(b"rewritten");
        let proves = |old_leaves: &[Hash]| {
            verify_consistency(old as u64, root_of(old_leaves), count as u64, root_of(&leaves), &path)
        };
        prop_assert!(proves(&leaves[..old]));
        prop_assert!(!proves(&rewritten));
    }

    #[test]
    fn a_stored_tree_goes_on_where_it_was(count in 0usize..100, more in 0usize..100) {
        let all = leaves(count + more);
        let stored: Tree = all[..count].iter().copied().collect();
        let mut restored = Tree::from_parts(stored.size(), stored.frontier().to_vec()).unwrap();
        all[count..].iter().for_each(|leaf| restored.append(*leaf));
        prop_assert_eq!(restored, all.iter().copied().collect::<Tree>());
    }
}
