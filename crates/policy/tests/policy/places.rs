//! `context.country` and `context.city`, by a file made here byte by byte (MaxMind DB File Format Specification 2.0).

use std::net::IpAddr;

use durward_policy::{Circumstances, Places, Question, Subject, Verdict};

use crate::fixture::{NOW, compile, stock, user};

const FROM_BERN: &str = r#"permit (principal, action == Action::"inventory:read", resource)
when { context has country && context.country == "CH" && context has city && context.city == "Bern" };"#;
const NOT_FROM_ABROAD: &str = r#"permit (principal, action, resource);
forbid (principal, action == Action::"inventory:read", resource) unless { context has country && context.country == "CH" };"#;

/// A file in which 10.0.0.0/8 is somewhere, and nothing else anywhere.
pub fn file(record: &[u8]) -> Vec<u8> {
    // A node a bit of the network: the record of that bit leads on, the other one nowhere.
    let (network, nodes) = (10_u8, 8_u8);
    let mut file = Vec::new();
    for node in 0..nodes {
        let next = if node + 1 == nodes { nodes + 16 } else { node + 1 };
        let pair = if network >> (7 - node) & 1 == 0 { [next, nodes] } else { [nodes, next] };
        file.extend(pair.iter().flat_map(|record| [0, 0, *record]));
    }
    file.extend([0; 16]);
    file.extend(record);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    file.push(0xe9);
    for (key, value) in [
        ("node_count", &[0xc1, nodes][..]),
        ("record_size", &[0xa1, 24]),
        ("ip_version", &[0xa1, 4]),
        ("database_type", &text("Test-City")),
        ("languages", &[0, 4]),
        ("binary_format_major_version", &[0xa1, 2]),
        ("binary_format_minor_version", &[0xa0]),
        ("build_epoch", &[1, 2, 1]),
        ("description", &[0xe0]),
    ] {
        file.extend(text(key));
        file.extend(value);
    }
    file
}

/// A text of at most 28 bytes.
fn text(text: &str) -> Vec<u8> {
    let length = 0x40 | u8::try_from(text.len()).unwrap();
    std::iter::once(length).chain(text.bytes()).collect()
}

/// `{key: value}`.
fn map(key: &str, value: &[u8]) -> Vec<u8> {
    [&[0xe1], text(key).as_slice(), value].concat()
}

/// `{"country": {"iso_code": "CH"}, "city": {"names": {"en": "Bern"}}}`.
pub fn bern() -> Vec<u8> {
    let city = [text("city"), map("names", &map("en", &text("Bern")))].concat();
    [&[0xe2], text("country").as_slice(), &map("iso_code", &text("CH")), &city].concat()
}

fn asked(policy: &str, places: &Places, address: Option<&str>) -> Verdict {
    let policies = compile(&[("here", policy)]).unwrap();
    let subject = Subject::new(&user("alice", &[]), &policies).unwrap();
    let address: Option<IpAddr> = address.map(|address| address.parse().unwrap());
    let circumstances = Circumstances { now: NOW, address, known_browser: None };
    policies.decide(&Question { subject: &subject, action: "inventory:read", resource: &stock("1"), circumstances, places })
}

#[test]
fn a_policy_reads_country_and_city_of_the_address_that_asks() {
    let places = Places::default();
    places.replace(file(&bern())).unwrap();
    for (address, allowed) in
        [(Some("10.1.2.3"), true), (Some("::ffff:10.1.2.3"), true), (Some("11.1.2.3"), false), (Some("2001:db8::1"), false), (None, false)]
    {
        for policy in [FROM_BERN, NOT_FROM_ABROAD] {
            let verdict = asked(policy, &places, address);
            assert_eq!((verdict.allowed, verdict.errors.is_empty()), (allowed, true), "{address:?} {policy}");
        }
    }
    let read = asked(FROM_BERN, &places, Some("10.1.2.3")).read;
    assert!(read.contains(&("context.country".to_owned(), "CH".to_owned())), "{read:?}");
    assert!(read.contains(&("context.city".to_owned(), "Bern".to_owned())), "{read:?}");
}

#[test]
fn what_is_not_known_of_an_address_is_absent() {
    let places = Places::default();
    assert!(!asked(FROM_BERN, &places, Some("10.1.2.3")).allowed, "no file");
    places.replace(file(&map("country", &map("iso_code", &text("CH"))))).unwrap();
    assert!(asked(NOT_FROM_ABROAD, &places, Some("10.1.2.3")).allowed);
    assert!(!asked(FROM_BERN, &places, Some("10.1.2.3")).allowed, "a file of countries has no city");
    places.replace(file(&map("country", &text("CH")))).unwrap();
    assert!(!asked(NOT_FROM_ABROAD, &places, Some("10.1.2.3")).allowed, "a record of another form");
}

#[test]
fn what_is_no_such_file_changes_nothing() {
    let places = Places::default();
    let whole = file(&bern());
    places.replace(whole.clone()).unwrap();
    for broken in [&[][..], b"<html>", &whole[..whole.len() - 30], &whole[..40]] {
        places.replace(broken.to_vec()).unwrap_err();
    }
    assert!(asked(FROM_BERN, &places, Some("10.1.2.3")).allowed);
}
