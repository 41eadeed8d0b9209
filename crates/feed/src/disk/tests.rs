use super::*;
use crate::fixture::{at, client_secret, key, realm, revocation, role};
use durward_model::Record;

fn snapshot() -> Snapshot {
    Snapshot::new(at(3, 42), [realm(), key(), role("clerk"), Record::Revocation(revocation("alice", 1, 2))])
}

#[test]
fn a_snapshot_survives_the_disk() {
    assert_eq!(Snapshot::from_bytes(&snapshot().to_bytes().unwrap()).unwrap(), snapshot());
}

#[test]
fn hashes_do_not_reach_the_disk() {
    let with_secret = Snapshot::new(at(3, 42), snapshot().records().chain([client_secret()]));
    let bytes = with_secret.to_bytes().unwrap();
    assert!(!String::from_utf8(bytes).unwrap().contains("the-keyed-hash"));
}

#[test]
fn every_changed_or_missing_byte_is_found() {
    let good = snapshot().to_bytes().unwrap();
    for position in 0..good.len() {
        let mut changed = good.clone();
        changed[position] ^= 1;
        assert!(Snapshot::from_bytes(&changed).is_err(), "byte {position}");
        assert!(Snapshot::from_bytes(&good[..position]).is_err(), "cut at {position}");
    }
    assert!(Snapshot::from_bytes(b"durward-snapshot/2 sha256=x\n").is_err());
}
