use durward_base::Duration;
use proptest::prelude::*;

use super::*;
use crate::testing::seeded;

#[derive(Debug, PartialEq, minicbor::Encode, minicbor::Decode)]
struct Login {
    #[n(0)]
    client: String,
    #[n(1)]
    state: Option<String>,
    #[cbor(n(2), with = "minicbor::bytes")]
    binding: [u8; 16],
}

const REALM: RealmId = RealmId::from_bytes([1; 16]);
const DAY: Duration = Duration::from_secs(86_400);
const NOON: Timestamp = Timestamp::from_seconds(20_000 * 86_400 + 43_200);

fn keys() -> StateKeys {
    StateKeys::from_root(&RootKey::generate(&seeded(1)))
}

fn login() -> Login {
    Login { client: "shop".into(), state: Some("xyz".into()), binding: [7; 16] }
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

fn sealed(now: Timestamp, life: Duration) -> String {
    keys().seal("login", REALM, &login(), Validity { now, expires: now + life }, &seeded(2)).unwrap()
}

fn open(text: &str, now: Timestamp) -> Result<Login, StateError> {
    keys().open("login", REALM, text, now)
}

#[test]
fn sealed_state_opens_until_it_expires() {
    let text = sealed(NOON, minutes(10));
    let last = NOON + minutes(10) - Duration::from_millis(1);
    assert_eq!(open(&text, NOON), Ok(login()));
    assert_eq!(open(&text, last), Ok(login()));
    assert_eq!(open(&text, NOON + minutes(10)), Err(StateError::Expired));
    assert!(!text.contains("shop"));
}

/// SESS-003: another key, realm or purpose; plaintext in place of ciphertext
#[test]
fn sealed_state_opens_only_for_its_purpose_and_realm_and_under_its_root() {
    let text = sealed(NOON, minutes(10));
    let other_keys = StateKeys::from_root(&RootKey::generate(&seeded(9)));
    assert_eq!(other_keys.open::<Login>("login", REALM, &text, NOON), Err(StateError::NotAuthentic));
    assert_eq!(keys().open::<Login>("session", REALM, &text, NOON), Err(StateError::NotAuthentic));
    assert_eq!(keys().open::<Login>("login", RealmId::from_bytes([2; 16]), &text, NOON), Err(StateError::NotAuthentic));
    let plain = base64url::encode(&minicbor::to_vec(login()).unwrap());
    assert_eq!(open(&plain, NOON), Err(StateError::NotAuthentic));
    assert_eq!(open(r#"{"client":"shop"}"#, NOON), Err(StateError::Malformed));
}

/// JOSE-052, SESS-003: every truncation, extension, bit flip and case change
#[test]
fn no_mutation_of_sealed_state_opens() {
    let text = sealed(NOON, minutes(10));
    for length in 0..text.len() {
        assert!(open(&text[..length], NOON).is_err(), "{length} characters");
        assert!(open(&text[text.len() - length..], NOON).is_err(), "the last {length} characters");
    }
    for bit in 0..text.len() * 8 {
        let mut bytes = text.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let opened = String::from_utf8(bytes).map(|text| open(&text, NOON));
        assert!(!matches!(opened, Ok(Ok(_))), "bit {bit}");
    }
    for extended in [format!("{text}A"), format!("{text}AAAA"), format!("{text}="), format!(" {text}"), format!("{text}\n")] {
        assert!(open(&extended, NOON).is_err(), "{extended}");
    }
    assert!(open(&text.to_uppercase(), NOON).is_err());
    assert!(open(&text.to_lowercase(), NOON).is_err());
}

#[test]
fn the_key_of_the_day_before_opens_and_older_ones_do_not() {
    let midnight = NOON + DAY / 2;
    let text = sealed(midnight - Duration::from_millis(1), DAY);
    assert_eq!(open(&text, midnight), Ok(login()));
    assert_eq!(open(&text, midnight + DAY), Err(StateError::NotAuthentic));
}

#[test]
fn an_authority_whose_clock_is_behind_midnight_opens_what_another_sealed_after_it() {
    let midnight = NOON + DAY / 2;
    assert_eq!(open(&sealed(midnight, minutes(1)), midnight - Duration::from_millis(50)), Ok(login()));
}

#[test]
fn each_day_has_a_key_of_its_own() {
    let text = base64url::decode(&sealed(NOON, minutes(10))).unwrap();
    let tomorrow = (period(NOON) + 1).to_be_bytes();
    let moved = base64url::encode(&[&tomorrow, &text[8..]].concat());
    assert_eq!(open(&moved, NOON), Err(StateError::NotAuthentic));
}

#[test]
fn state_that_would_outlive_its_keys_or_a_cookie_jar_is_not_sealed() {
    let long = Validity { now: NOON, expires: NOON + DAY + Duration::from_millis(1) };
    assert_eq!(keys().seal("login", REALM, &login(), long, &seeded(2)), Err(StateError::LivesTooLong));
    let large = Login { client: "x".repeat(MAX_TEXT), ..login() };
    let validity = Validity { now: NOON, expires: NOON + minutes(1) };
    assert!(matches!(keys().seal("login", REALM, &large, validity, &seeded(2)), Err(StateError::TooLarge { .. })));
    assert_eq!(open(&"A".repeat(MAX_TEXT + 1), NOON), Err(StateError::TooLarge { found: MAX_TEXT + 1 }));
}

#[test]
fn state_of_another_type_is_refused_and_so_are_bytes_behind_it() {
    let validity = Validity { now: NOON, expires: NOON + minutes(1) };
    let number = keys().seal("login", REALM, &7u8, validity, &seeded(2)).unwrap();
    assert_eq!(open(&number, NOON), Err(StateError::Value));
    let pair = keys().seal("login", REALM, &minicbor::bytes::ByteArray::from([1; 3]), validity, &seeded(2)).unwrap();
    assert_eq!(keys().open::<u8>("login", REALM, &pair, NOON), Err(StateError::Value));
}

proptest! {
    #[test]
    fn no_input_makes_it_panic(text: String, bytes: Vec<u8>, now: i64) {
        let now = Timestamp::from_millis(now);
        prop_assert!(open(&text, now).is_err());
        prop_assert!(open(&base64url::encode(&bytes), now).is_err());
    }
}
