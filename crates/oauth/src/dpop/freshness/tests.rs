use std::sync::atomic::{AtomicU8, Ordering};

use durward_jose::Algorithm;
use durward_testkit::seeded;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const SHARED: [u8; 32] = [7; 32];

fn second(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

/// A proof with an id of its own.
fn proof(nonce: Option<&str>) -> Proof {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    Proof {
        thumbprint: "key".to_owned(),
        algorithm: Algorithm::ES256,
        nonce: nonce.map(str::to_owned),
        id: [NEXT.fetch_add(1, Ordering::Relaxed); 16],
    }
}

fn fresh(refused: Result<Admitted, NotFresh>) -> String {
    match refused {
        Err(NotFresh::Nonce { fresh }) => fresh,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_proof_is_good_once_for_as_long_as_its_nonce_lives() {
    // DPOP-001
    let node = Freshness::new(&seeded(1));
    let nonce = node.nonce("main", NOW);
    let proof = proof(Some(&nonce));
    assert_eq!(node.admit("main", &proof, second(1)), Ok(Admitted { nonce: None, spend: None }), "nothing is written");
    for later in [1, 60, 119] {
        assert_eq!(node.admit("main", &proof, second(later)), Err(NotFresh::Replayed), "{later}");
    }
    fresh(node.admit("main", &proof, second(120)));
}

#[test]
fn without_a_nonce_that_counts_here_and_now_a_new_one_is_given() {
    // DPOP-006
    let (node, other) = (Freshness::new(&seeded(1)), Freshness::new(&seeded(2)));
    let nonce = node.nonce("main", NOW);
    let refused = [
        ("none", node.admit("main", &proof(None), NOW)),
        ("stale", node.admit("main", &proof(Some(&nonce)), second(120))),
        ("of another node", node.admit("main", &proof(Some(&other.nonce("main", NOW))), NOW)),
        ("of another realm", node.admit("main", &proof(Some(&node.nonce("other", NOW))), NOW)),
        ("altered", node.admit("main", &proof(Some(&nonce.replace(&nonce[4..6], "zz"))), NOW)),
        ("no nonce at all", node.admit("main", &proof(Some("x")), NOW)),
    ];
    for (what, refused) in refused {
        let fresh = fresh(refused);
        assert!(node.admit("main", &proof(Some(&fresh)), second(100)).is_ok(), "{what}");
    }
}

#[test]
fn a_nonce_is_followed_by_another_before_it_dies() {
    let node = Freshness::new(&seeded(1));
    let nonce = node.nonce("main", NOW);
    assert_eq!(node.admit("main", &proof(Some(&nonce)), second(59)).unwrap().nonce, None);
    let next = node.admit("main", &proof(Some(&nonce)), second(60)).unwrap().nonce.unwrap();
    assert!(node.admit("main", &proof(Some(&next)), second(179)).is_ok());
}

#[test]
fn among_several_nodes_a_proof_is_spent_in_their_store_or_remembered_by_one() {
    // DPOP-001: another node, and after a restart, which is another node.
    let [one, two] = [1, 2].map(|seed| Freshness::sharing(&seeded(seed), &SHARED));
    let own = proof(Some(&one.nonce("main", NOW)));
    assert_eq!(one.admit("main", &own, NOW).unwrap().spend, None);
    let shared = fresh(two.admit("main", &own, NOW));
    let proof = proof(Some(&shared));
    for node in [&one, &two] {
        let spend = node.admit("main", &proof, second(1)).unwrap().spend.unwrap();
        assert_eq!(spend, (proof.id(), second(120)), "the store's guard lets one of them through, until the nonce dies");
    }
    let back = two.admit("main", &super::tests::proof(Some(&shared)), second(60)).unwrap().nonce.unwrap();
    assert_eq!(two.admit("main", &super::tests::proof(Some(&back)), second(61)).unwrap().spend, None, "and then nothing is written again");
}

#[test]
fn when_memory_is_full_every_nonce_ends_and_no_replay_passes() {
    let node = Freshness { most: 2, ..Freshness::new(&seeded(1)) };
    let nonce = node.nonce("main", NOW);
    let [one, two, three] = [(); 3].map(|()| proof(Some(&nonce)));
    assert!(node.admit("main", &one, NOW).is_ok() && node.admit("main", &two, NOW).is_ok());
    let next = fresh(node.admit("main", &three, NOW));
    for known in [&one, &two, &three] {
        fresh(node.admit("main", known, NOW));
    }
    assert!(node.admit("main", &proof(Some(&next)), NOW).is_ok());
}

#[test]
fn a_proof_of_an_epoch_that_ended_meanwhile_is_not_kept_and_ends_nothing() {
    let mut seen = Seen::default();
    assert_eq!(seen.keep([1; 16], 0, NOW, 1), Taken::New);
    assert_eq!(seen.keep([1; 16], 0, NOW, 1), Taken::Replayed);
    assert_eq!(seen.keep([2; 16], 0, NOW, 1), Taken::Full);
    assert_eq!(seen.keep([3; 16], 0, NOW, 1), Taken::Ended, "one who asked before");
    assert_eq!((seen.epoch, seen.current.len()), (1, 0));
}

#[test]
fn proofs_outlast_their_nonce_by_the_time_between_two_readings_of_the_clock() {
    let mut seen = Seen::default();
    assert_eq!(seen.keep([1; 16], 0, NOW, 9), Taken::New);
    assert_eq!(seen.keep([2; 16], 0, NOW + LIFETIME, 9), Taken::New);
    assert_eq!(seen.keep([2; 16], 0, NOW + (LIFETIME + SLACK) * 2, 9), Taken::New, "nothing of it can come back");
}
