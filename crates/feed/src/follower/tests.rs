use durward_model::RevocationKind;

use super::*;
use crate::Delta;
use crate::fixture::{at, change, revocation, role};

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn hello(epoch: u64, head_seq: u64) -> Frame {
    Frame::Hello { epoch, oldest_seq: 1, head_seq, server_time: NOW, heartbeat_ms: 1000 }
}

fn heartbeat(epoch: u64, head_seq: u64) -> Frame {
    Frame::Heartbeat { epoch, head_seq, time: NOW }
}

fn snapshot(epoch: u64, seq: u64, records: Vec<Record>) -> Frame {
    Frame::Snapshot { position: at(epoch, seq), records, complete: true }
}

fn delta(seq: u64, record: Record) -> Frame {
    Frame::Delta(Delta::of(vec![change(seq, record)]).unwrap())
}

fn following(frames: Vec<Frame>) -> Follower {
    let mut follower = Follower::default();
    for frame in frames {
        follower.accept(frame, NOW).unwrap();
    }
    follower
}

#[test]
fn snapshot_deltas_and_heartbeat_make_confirmed_knowledge() {
    let mut follower = following(vec![hello(1, 6), snapshot(1, 5, vec![role("clerk")]), delta(6, role("customer"))]);
    assert_eq!(follower.staleness(), Staleness::default());
    assert_eq!(follower.accept(heartbeat(1, 6), NOW), Ok(Followed::Confirmed));
    assert_eq!(follower.staleness(), Staleness::heard(NOW));
    assert_eq!((follower.position(), follower.snapshot().resources().len()), (at(1, 6), 2));
}

#[test]
fn a_heartbeat_beyond_what_is_known_is_a_gap_and_confirms_nothing() {
    for frame in [heartbeat(1, 6), heartbeat(2, 5), heartbeat(2, 0)] {
        let mut follower = following(vec![hello(1, 5), snapshot(1, 5, vec![])]);
        assert!(matches!(follower.accept(frame, NOW), Err(FollowerError::Gap(_))));
        assert_eq!(follower.staleness(), Staleness::default());
    }
}

#[test]
fn a_delta_with_a_hole_before_it_is_a_gap() {
    let mut follower = following(vec![hello(1, 7), snapshot(1, 5, vec![])]);
    assert!(matches!(follower.accept(delta(7, role("x")), NOW), Err(FollowerError::Gap(_))));
    assert_eq!(follower.position(), at(1, 5));
}

#[test]
fn a_clock_more_than_thirty_seconds_off_is_refused_at_greeting_and_at_each_heartbeat() {
    let late = NOW + Duration::from_secs(31);
    assert!(matches!(Follower::default().accept(hello(1, 0), late), Err(FollowerError::Clock(_))));
    let mut follower = following(vec![hello(1, 0), snapshot(1, 0, vec![])]);
    assert!(matches!(follower.accept(heartbeat(1, 0), late), Err(FollowerError::Clock(_))));
    assert_eq!(follower.staleness(), Staleness::default());
}

#[test]
fn a_restored_authority_cannot_un_revoke() {
    let revoked = Record::Revocation(revocation("alice", 900, 2_000));
    let mut follower = following(vec![hello(1, 9), snapshot(1, 9, vec![revoked])]);
    follower.disconnect();
    for frame in [hello(2, 1), snapshot(2, 1, vec![]), heartbeat(2, 1)] {
        follower.accept(frame, NOW).unwrap();
    }
    assert_eq!(follower.position(), at(2, 1));
    assert!(follower.snapshot().revocations().get("main", RevocationKind::Subject, "alice").is_some());
}

#[test]
fn a_snapshot_counts_only_when_it_is_whole() {
    let part = |records, complete| Frame::Snapshot { position: at(1, 5), records, complete };
    let mut follower = following(vec![hello(1, 5), part(vec![role("a")], false)]);
    assert_eq!(follower.position(), at(0, 0));
    assert_eq!(follower.accept(part(vec![role("b")], true), NOW), Ok(Followed::Changed));
    assert_eq!(follower.snapshot().resources().len(), 2);

    let mut cut = following(vec![hello(1, 5), part(vec![role("a")], false)]);
    cut.disconnect();
    for frame in [hello(1, 5), part(vec![role("b")], true)] {
        cut.accept(frame, NOW).unwrap();
    }
    assert_eq!(cut.snapshot().resources().len(), 1, "what a stream had begun to send is forgotten with it");
}

#[test]
fn frames_out_of_turn_are_refused() {
    let part = |seq| Frame::Snapshot { position: at(1, seq), records: vec![], complete: false };
    let out_of_turn = [
        vec![heartbeat(1, 0)],
        vec![delta(1, role("a"))],
        vec![part(1)],
        vec![hello(1, 0), hello(1, 0)],
        vec![hello(1, 0), part(1), delta(2, role("a"))],
        vec![hello(1, 0), part(1), heartbeat(1, 1)],
        vec![hello(1, 0), part(1), part(2)],
    ];
    for mut frames in out_of_turn {
        let last = frames.pop().unwrap();
        assert!(matches!(following(frames).accept(last, NOW), Err(FollowerError::OutOfTurn(_))));
    }
}

#[test]
fn a_node_begins_with_what_it_kept_and_does_not_know_how_old_that_is() {
    let kept = Snapshot::new(at(1, 5), [role("clerk")]);
    let mut follower = Follower::new(Some(kept));
    assert_eq!(follower.staleness().age(NOW), Duration::MAX);
    for frame in [hello(1, 6), delta(6, role("customer")), heartbeat(1, 6)] {
        follower.accept(frame, NOW).unwrap();
    }
    assert_eq!((follower.position(), follower.snapshot().resources().len()), (at(1, 6), 2));
}
