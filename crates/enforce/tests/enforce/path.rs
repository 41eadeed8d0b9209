//! One reading of a path, or none.

use durward_base::Duration;
use durward_enforce::{Head, NormalPath, PathError, must_be_fresh};
use proptest::prelude::*;

fn reason(path: &[u8]) -> Option<PathError> {
    NormalPath::parse(path).err()
}

#[test]
fn a_plain_path_is_read_and_forwarded_as_it_came() {
    let cases: [(&str, &[&str], bool); 9] = [
        ("/", &[], false),
        ("/orders", &["orders"], false),
        ("/orders/", &["orders"], true),
        ("/orders/4711/items", &["orders", "4711", "items"], false),
        ("/a.b/..c/d..", &["a.b", "..c", "d.."], false),
        ("/...", &["..."], false),
        ("/a:b@c!$&'()*+,=~_-", &["a:b@c!$&'()*+,=~_-"], false),
        ("/caf%C3%A9/%e2%82%ac", &["café", "€"], false),
        ("/with%20space/%3F%23%5B%22", &["with space", "?#[\""], false),
    ];
    for (path, segments, trailing_slash) in cases {
        let normal = NormalPath::parse(path.as_bytes()).unwrap();
        assert_eq!((normal.as_str(), normal.has_trailing_slash()), (path, trailing_slash));
        assert_eq!(normal.segments(), segments, "{path}");
    }
}

/// GWPATH-001, GWPATH-002, GWPATH-004, GWID-007: refused, never repaired.
#[test]
fn whatever_could_be_read_in_two_ways_is_refused() {
    let cases: &[(&str, &[u8], PathError)] = &[
        ("GWPATH-001", b"/public/../admin", PathError::DotSegment),
        ("GWPATH-001", b"/..", PathError::DotSegment),
        ("GWPATH-001", b"/./admin", PathError::DotSegment),
        ("GWPATH-001", b"/admin/.", PathError::DotSegment),
        ("GWPATH-001", b"/%2e%2e/admin", PathError::AmbiguousEncoding),
        ("GWPATH-001", b"/%2E%2E/admin", PathError::AmbiguousEncoding),
        ("GWPATH-001", b"/.%2e/admin", PathError::AmbiguousEncoding),
        ("GWPATH-001", b"/%252e%252e/admin", PathError::AmbiguousEncoding),
        ("GWPATH-001", b"/%25", PathError::AmbiguousEncoding),
        ("GWPATH-001", b"/public/..%2fadmin", PathError::AmbiguousEncoding),
        ("GWPATH-001", b"/public%2F..%2Fadmin", PathError::AmbiguousEncoding),
        ("GWPATH-001", b"/a%5cb", PathError::AmbiguousEncoding),
        ("GWPATH-001", b"/a\\b", PathError::ForbiddenByte),
        ("GWPATH-001", b"/a%00", PathError::AmbiguousEncoding),
        ("GWPATH-001", b"/a%0a", PathError::AmbiguousEncoding),
        ("GWPATH-001", b"/a%7f", PathError::AmbiguousEncoding),
        ("GWPATH-001", b"/%c0%ae%c0%ae/admin", PathError::NotUtf8),
        ("GWPATH-001", b"/%e0%80%ae", PathError::NotUtf8),
        ("GWPATH-001", b"/%ff", PathError::NotUtf8),
        ("GWPATH-001", b"/%ed%a0%80", PathError::NotUtf8),
        ("GWPATH-001", b"/%c2%85", PathError::AmbiguousEncoding),
        ("GWPATH-001", b"/%", PathError::BrokenEncoding),
        ("GWPATH-001", b"/%2", PathError::BrokenEncoding),
        ("GWPATH-001", b"/%zz", PathError::BrokenEncoding),
        ("GWPATH-001", b"/%+2", PathError::BrokenEncoding),
        ("GWPATH-001", b"/%u002e", PathError::BrokenEncoding),
        ("GWPATH-001", b"//admin", PathError::EmptySegment),
        ("GWPATH-001", b"/public//admin", PathError::EmptySegment),
        ("GWPATH-001", b"//", PathError::EmptySegment),
        ("GWPATH-001", b"/public//", PathError::EmptySegment),
        ("GWPATH-002", b"/admin;x=y/users", PathError::Parameter),
        ("GWPATH-002", b"/;/admin", PathError::Parameter),
        ("GWPATH-002", b"/a;v=1/../admin", PathError::Parameter),
        ("GWPATH-002", b"/public/x;/../admin", PathError::Parameter),
        ("GWPATH-002", b"/public/..;/admin", PathError::Parameter),
        ("GWPATH-002", b"/admin%3bx", PathError::AmbiguousEncoding),
        ("GWPATH-004", b"/%41dmin", PathError::AmbiguousEncoding),
        ("GWPATH-004", b"/adm%69n", PathError::AmbiguousEncoding),
        ("GWPATH-004", "/\u{ff41}dmin".as_bytes(), PathError::ForbiddenByte),
        ("GWPATH-004", b"/%ef%bc%8e%ef%bc%8e/admin", PathError::AmbiguousEncoding),
        ("GWPATH-004", b"/a%ef%bc%8fb", PathError::AmbiguousEncoding),
        ("GWPATH-004", b"/%e2%80%a5/admin", PathError::AmbiguousEncoding),
        ("GWPATH-004", b"/admin%cd%bex", PathError::AmbiguousEncoding),
        ("GWPATH-004", b"/admin%ef%b8%94x", PathError::AmbiguousEncoding),
        ("GWPATH-004", b"/public%e2%84%80dmin", PathError::AmbiguousEncoding),
        ("GWPATH-006", b"/\xff", PathError::ForbiddenByte),
        ("GWPATH-006", b"/a\nb", PathError::ForbiddenByte),
        ("GWID-007", b"/admin#/public", PathError::ForbiddenByte),
        ("GWID-007", b"public", PathError::NotAbsolute),
        ("GWID-007", b"http://host/public", PathError::NotAbsolute),
        ("GWID-007", b"*", PathError::NotAbsolute),
        ("GWID-007", b"", PathError::NotAbsolute),
        ("GWDOS-005", &[b'/'; 9000], PathError::TooLong),
    ];
    for (id, path, error) in cases {
        assert_eq!(reason(path), Some(*error), "{id} {}", String::from_utf8_lossy(path));
    }
    for raw in (0..=32).chain(127..=255).chain(*b"\"<>\\^`{|}[]#?") {
        assert_eq!(reason(&[b'/', raw]), Some(PathError::ForbiddenByte), "{raw}");
    }
}

#[test]
fn the_query_is_no_part_of_the_path_and_the_port_none_of_the_host() {
    let head = |target, authority| Head { method: "GET", target, authority, headers: vec![] };
    assert_eq!(head("/admin?x=/public", "a").path(), "/admin");
    assert_eq!(head("/admin?x=/public?y", "a").path(), "/admin");
    for (authority, host) in
        [("Shop.Example:8443", "shop.example"), ("shop.example", "shop.example"), ("[::1]:8443", "[::1]"), ("[::1]", "[::1]")]
    {
        assert_eq!(head("/", authority).host(), host);
    }
}

#[test]
fn knowledge_older_than_the_route_allows_cannot_verify_anything_pol_004() {
    let seconds = Duration::from_secs;
    assert!(must_be_fresh(seconds(60), seconds(60)).is_ok());
    assert!(must_be_fresh(seconds(61), seconds(60)).is_err());
    assert!(must_be_fresh(Duration::MAX, seconds(3600)).is_err());
}

proptest! {
    #[test]
    fn what_is_read_is_what_is_forwarded_and_holds_nothing_ambiguous(path in prop::collection::vec(prop::sample::select(b"/abZ.%2eEfFcC3A90;\\ \xc3+".to_vec()), 0..24)) {
        let path = [b"/".as_slice(), &path].concat();
        if let Ok(normal) = NormalPath::parse(&path) {
            prop_assert_eq!(normal.as_str().as_bytes(), &path);
            for segment in normal.segments() {
                prop_assert!(!segment.is_empty() && segment != "." && segment != "..");
                prop_assert!(!segment.contains(['/', '\\', ';', '%']) && !segment.contains(char::is_control));
            }
            prop_assert_eq!(percent_encoding_once(normal.as_str()), normal.segments().join("/"), "decoding once gives the segments");
        }
    }

    #[test]
    fn no_bytes_make_it_panic(path in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = NormalPath::parse(&path);
    }
}

/// Another reading, the simplest there is.
fn percent_encoding_once(path: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), path.trim_matches('/').as_bytes());
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}
