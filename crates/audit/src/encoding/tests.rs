use durward_base::{EventId, Timestamp};
use durward_model::{Caller, Decided, EventKind, Outcome, PrincipalKind};
use proptest::prelude::*;

use super::*;

fn event(number: u8) -> Event {
    let mut event = Event::new(
        EventId::from_bytes([number; 16]),
        Timestamp::from_millis(i64::from(number)),
        "gateway/main".into(),
        EventKind::Forwarded,
    );
    event.realm = Some("main".into());
    event
}

fn encoded(event: &Event) -> Vec<u8> {
    encode_batch([event])
}

#[test]
fn an_event_is_the_same_after_its_canonical_form() {
    let event = event(7);
    assert_eq!(decode(&encoded(&event)), Ok(event));
}

#[test]
fn a_batch_is_its_events_in_order() {
    let events: Vec<_> = (0..3).map(event).collect();
    assert_eq!(decode_batch(&encode_batch(&events)), Ok(events));
    assert_eq!(decode_batch(&[]), Ok(vec![]));
}

#[test]
fn what_is_not_exactly_one_canonical_event_is_refused() {
    let good = encoded(&event(1));
    let trailing = [good.as_slice(), &[0]].concat();
    assert_eq!(decode(&trailing), Err(DecodeError::NotCanonical { at: good.len() }));
    assert_eq!(decode_batch(&trailing), Err(DecodeError::Malformed { at: good.len() }));
    assert_eq!(decode_batch(&good[..good.len() - 1]), Err(DecodeError::Malformed { at: 0 }));
    // The time, 1, as a number two bytes long.
    let at = good.windows(2).position(|pair| pair == [0x01, 0x6c]).unwrap();
    let longer = [&good[..at], &[0x18, 0x01], &good[at + 1..]].concat();
    assert!(decode(&longer).is_ok());
    assert_eq!(decode_batch(&longer), Err(DecodeError::NotCanonical { at: 0 }));
}

#[test]
fn a_batch_beyond_its_bounds_is_refused_before_it_is_read() {
    assert_eq!(decode_batch(&vec![0; BATCH_LIMIT + 1]), Err(DecodeError::TooLong { found: BATCH_LIMIT + 1, limit: BATCH_LIMIT }));
    let events = vec![event(1); BATCH_EVENTS + 1];
    assert_eq!(decode_batch(&encode_batch(&events)), Err(DecodeError::TooMany));
    assert_eq!(decode(&vec![0; EVENT_LIMIT + 1]), Err(DecodeError::TooLong { found: EVENT_LIMIT + 1, limit: EVENT_LIMIT }));
}

#[test]
fn an_event_beyond_all_measure_is_recorded_by_its_outcome_and_says_so() {
    let mut big = event(3);
    big.outcome = Outcome::Denied;
    big.reason = Some("insufficient_scope".to_owned());
    let caller = Caller {
        kind: PrincipalKind::User,
        id: "x".repeat(EVENT_LIMIT),
        acts_for: None,
        roles: vec![],
        scopes: vec![],
        assurance: Default::default(),
        credential: None,
    };
    big.caller = Some(caller.into());
    let short = decode(&encoded(&big)).unwrap();
    assert_eq!((short.id, short.outcome, short.caller), (big.id, Outcome::Denied, None));
    assert_eq!(short.reason, big.reason);
    assert!(short.detail.unwrap().contains("recorded without"));
}

#[test]
fn a_query_finds_what_it_asks_for_and_nothing_of_another_realm() {
    let mut one = event(1);
    one.chain.transaction = Some("t".to_owned());
    one.decided =
        Some(Decided { by: "default".to_owned(), rule: String::new(), action: None, resource: None, read: vec![], version: 0 }.into());
    let realm = |realm: &str| crate::Query { realm: Some(realm.to_owned()), ..Default::default() };
    assert!(realm("main").matches(&one) && !realm("other").matches(&one));
    assert!(crate::Query { transaction: Some("t".to_owned()), ..realm("main") }.matches(&one));
    assert!(!crate::Query { transaction: Some("u".to_owned()), ..realm("main") }.matches(&one));
    assert!(!crate::Query { from: Some(Timestamp::from_millis(2)), ..Default::default() }.matches(&one));
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic_and_what_it_takes_is_canonical(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
        if let Ok(events) = decode_batch(&bytes) {
            prop_assert_eq!(encode_batch(&events), bytes);
        }
    }

    #[test]
    fn a_damaged_batch_is_refused_or_another_batch(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode_batch(&[event(1), event(2)]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(events) = decode_batch(&bytes) {
            prop_assert_eq!(encode_batch(&events), bytes);
        }
    }
}
