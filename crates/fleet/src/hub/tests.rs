use durward_model::{Change, Record, ResourceKind};
use durward_testkit::FakeClock;

use super::*;

fn at(seq: u64) -> Position {
    Position { epoch: 7, seq }
}

fn record() -> Record {
    Record::ResourceDeleted { realm: "main".to_owned(), kind: ResourceKind::Role, name: "gone".to_owned() }
}

/// A hub that has come so far, one change at a time.
fn hub(seq: u64) -> Hub {
    let hub = Hub::new(FakeClock::at(Timestamp::from_seconds(1_800_000_000)).clock());
    hub.replaced(Snapshot::new(at(0), []));
    (1..=seq).for_each(|seq| moved(&hub, seq));
    hub
}

fn moved(hub: &Hub, seq: u64) {
    let delta = Delta::of(vec![Change { position: at(seq), record: record() }]).unwrap();
    hub.moved(Snapshot::new(at(seq), []), delta).unwrap();
}

/// What a node that stands there is sent at once, after the greeting.
fn first(hub: &Hub, since: Position) -> Vec<Frame> {
    let stream = hub.subscribe(since).unwrap().unwrap();
    let mut frames: Vec<_> = stream.first.iter().map(|line| Frame::decode(line.strip_suffix(b"\n").unwrap()).unwrap()).collect();
    assert!(matches!(frames.remove(0), Frame::Hello { heartbeat_ms: 1000, .. }));
    frames
}

#[test]
fn a_node_that_is_known_gets_what_it_missed_and_any_other_a_snapshot() {
    let hub = hub(3);
    let throughs = |since| {
        let frames = first(&hub, since);
        frames.iter().map(|frame| if let Frame::Delta(delta) = frame { delta.through } else { 0 }).collect::<Vec<_>>()
    };
    assert_eq!(throughs(at(3)), [0; 0]);
    assert_eq!(throughs(at(1)), [2, 3]);
    assert_eq!(throughs(at(0)), [1, 2, 3]);
    let elsewhere = Position { epoch: 6, seq: 3 };
    assert!(matches!(first(&hub, elsewhere).as_slice(), [Frame::Snapshot { complete: true, .. }]));
}

#[test]
fn a_node_that_has_heard_of_more_elsewhere_is_not_taken_back() {
    assert!(hub(3).subscribe(at(4)).unwrap().is_none());
}

#[test]
fn before_the_first_snapshot_nothing_is_told() {
    let hub = Hub::new(FakeClock::at(Timestamp::from_seconds(1)).clock());
    assert!(hub.subscribe(Position::default()).unwrap().is_none());
    hub.confirmed(hub.clock.now()).unwrap();
}

#[test]
fn changes_that_are_no_longer_kept_are_told_by_a_snapshot() {
    let hub = hub(2);
    hub.lock().recent.pop_front();
    assert!(matches!(first(&hub, at(0)).as_slice(), [Frame::Snapshot { .. }]));
    assert!(matches!(first(&hub, at(1)).as_slice(), [Frame::Delta(_)]));
}

#[test]
fn a_node_is_told_at_once_that_the_feed_is_fresh_when_it_is() {
    let hub = hub(1);
    assert_eq!(first(&hub, at(1)), []);
    hub.confirmed(hub.clock.now()).unwrap();
    assert!(matches!(first(&hub, at(1)).as_slice(), [Frame::Heartbeat { epoch: 7, head_seq: 1, .. }]));
}

#[tokio::test]
async fn a_node_that_cannot_keep_up_costs_no_memory_and_is_let_go() {
    let hub = hub(0);
    let mut slow = hub.subscribe(at(0)).unwrap().unwrap();
    (1..=300).for_each(|seq| moved(&hub, seq));
    assert!(matches!(slow.rest.recv().await, Err(broadcast::error::RecvError::Lagged(_))));
}

#[tokio::test]
async fn another_state_ends_every_stream() {
    let hub = hub(5);
    let mut stream = hub.subscribe(at(5)).unwrap().unwrap();
    hub.replaced(Snapshot::new(Position { epoch: 8, seq: 0 }, []));
    assert!(matches!(stream.rest.recv().await, Ok(Message::End)));
    assert!(matches!(first(&hub, at(5)).as_slice(), [Frame::Snapshot { .. }]));
}
