use durward_model::Record;
use proptest::prelude::*;

use super::*;
use crate::fixture::{at, change, client_secret, key, realm, revocation, role};

fn frames() -> Vec<Frame> {
    vec![
        Frame::Hello { epoch: 1, oldest_seq: 1, head_seq: 9, server_time: Timestamp::from_seconds(7), heartbeat_ms: 1000 },
        Frame::Snapshot { position: at(1, 2), records: vec![realm(), key()], complete: true },
        Frame::Delta(Delta::of(vec![change(3, role("clerk")), change(4, Record::Revocation(revocation("alice", 1, 2)))]).unwrap()),
        Frame::Heartbeat { epoch: 1, head_seq: 4, time: Timestamp::from_seconds(8) },
    ]
}

#[test]
fn a_frame_is_one_line_and_survives_it() {
    for frame in frames() {
        let line = frame.encode().unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(Frame::decode(line.strip_suffix(b"\n").unwrap()).unwrap(), frame);
    }
}

#[test]
fn what_is_no_frame_is_refused() {
    let lines = [
        "",
        "{}",
        "null",
        r#"{"frame":"unknown"}"#,
        r#"{"frame":"heartbeat","epoch":1,"head_seq":1}"#,
        r#"{"frame":"heartbeat","epoch":-1,"head_seq":1,"time":1}"#,
        r#"{"frame":"heartbeat","epoch":1,"epoch":1,"head_seq":1,"time":1}"#,
        r#"{"frame":"heartbeat","epoch":1,"head_seq":1,"time":1,"extra":1}"#,
        r#"{"frame":"heartbeat","epoch":1,"head_seq":1,"time":1} x"#,
        r#"{"frame":"delta","epoch":1,"after":0,"through":1,"changes":[{"epoch":1,"seq":1,"record":{"type":"other"}}]}"#,
    ];
    for line in lines {
        assert!(matches!(Frame::decode(line.as_bytes()), Err(FrameError::Malformed(_))), "{line}");
    }
}

#[test]
fn a_stretch_that_contradicts_itself_is_refused() {
    let good = Delta::of(vec![change(3, role("a")), change(4, role("b"))]).unwrap();
    let wrong = [
        Delta { after: 3, ..good.clone() },
        Delta { through: 3, ..good.clone() },
        Delta { epoch: 2, ..good.clone() },
        Delta { after: 9, through: 9, changes: vec![], ..good.clone() },
        Delta { changes: good.changes.iter().rev().cloned().collect(), ..good.clone() },
        Delta { changes: vec![change(3, role("a")), change(3, role("a"))], ..good },
    ];
    for delta in wrong {
        let line = Frame::Delta(delta).encode().unwrap();
        assert!(matches!(Frame::decode(line.strip_suffix(b"\n").unwrap()), Err(FrameError::Disordered)));
    }
}

#[test]
fn a_stretch_leaves_out_what_is_not_for_nodes_and_says_how_far_it_goes() {
    let delta = Delta::of(vec![change(3, client_secret()), change(4, role("a")), change(5, client_secret())]).unwrap();
    assert_eq!((delta.after, delta.through, delta.changes.len()), (2, 5, 1));
    assert_eq!(Delta::of(vec![]), None);
}

#[test]
fn a_line_without_end_is_given_up_at_its_limit() {
    let mut decoder = FrameDecoder::default();
    let chunk = vec![b'x'; MAXIMUM_LINE];
    decoder.push(&chunk);
    assert!(matches!(decoder.next_frame(), Ok(None)));
    decoder.push(b"x");
    assert!(matches!(decoder.next_frame(), Err(FrameError::TooLong)));
}

#[test]
fn a_large_snapshot_travels_in_parts() {
    let records = (0..20_000).map(|number| role(&format!("a role with a rather long name, number {number:020}")));
    let snapshot = Snapshot::new(at(1, 7), records);
    let frames = Frame::snapshot(&snapshot);
    assert!(frames.len() > 1);
    let (mut collected, mut ends) = (Vec::new(), 0);
    for frame in frames {
        assert!(frame.encode().unwrap().len() < 2 * SNAPSHOT_FRAME);
        let Frame::Snapshot { position, records, complete } = frame else { panic!("only parts") };
        assert_eq!(position, at(1, 7));
        collected.extend(records);
        ends += u32::from(complete);
    }
    assert_eq!((ends, Snapshot::new(at(1, 7), collected)), (1, snapshot));
}

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in_however_the_stream_is_cut(cuts in prop::collection::vec(0_usize..900, 0..8)) {
        let bytes: Vec<u8> = frames().iter().flat_map(|frame| frame.encode().unwrap()).collect();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
        cuts.sort_unstable();
        let mut decoder = FrameDecoder::default();
        let mut seen = Vec::new();
        for window in cuts.windows(2) {
            decoder.push(&bytes[window[0]..window[1]]);
            while let Some(frame) = decoder.next_frame().unwrap() {
                seen.push(frame);
            }
        }
        prop_assert_eq!(seen, frames());
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut decoder = FrameDecoder::default();
        decoder.push(&bytes);
        while let Ok(Some(_)) = decoder.next_frame() {}
    }
}
