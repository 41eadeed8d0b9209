use http::{Request, Version};

use super::*;

fn parts(method: &str, target: &str, version: Version, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(target).version(version);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn refused(method: &str, target: &str, version: Version, fields: &[(&str, &str)]) -> u16 {
    let refused = accept(&parts(method, target, version, fields)).expect_err(&format!("{method} {target} {fields:?}"));
    assert!(refused.render(None).headers()["connection"] == "close");
    refused.status().as_u16()
}

#[test]
fn what_is_ambiguous_is_refused_and_the_connection_closed() {
    let (one, two) = (Version::HTTP_11, Version::HTTP_2);
    for (id, method, target, version, fields, status) in [
        ("GWPATH-008", "GET", "/", one, &[][..], 400),
        ("GWPATH-008", "GET", "/", one, &[("host", "a"), ("host", "a")], 400),
        ("GWPATH-008", "GET", "/", one, &[("host", "")], 400),
        ("GWPATH-008", "GET", "/", one, &[("host", "user@a")], 400),
        ("GWPATH-008", "GET", "/", one, &[("host", "a/b")], 400),
        ("GWPATH-008", "GET", "/", one, &[("host", "a.")], 400),
        ("GWPATH-008", "GET", "/", one, &[("host", "a b")], 400),
        ("GWPATH-008", "GET", "/", one, &[("host", "a:")], 400),
        ("GWPATH-008", "GET", "/", one, &[("host", "a:+80")], 400),
        ("GWPATH-008", "GET", "/", one, &[("host", "a:80:80")], 400),
        ("GWPATH-008", "GET", "/", one, &[("host", "[::1")], 400),
        ("GWPATH-008", "GET", "/", one, &[("host", "a%2eb")], 400),
        ("GWPATH-008", "GET", "http://a/", one, &[("host", "b")], 400),
        ("GWPATH-008", "GET", "http://a/", one, &[], 400),
        ("HTTP-008", "GET", "https://a/", two, &[("host", "b")], 400),
        ("HTTP-008", "GET", "https://A/", two, &[("host", "a")], 400),
        ("HTTP-008", "POST", "https://a/", two, &[("transfer-encoding", "chunked")], 400),
        ("HTTP-001", "POST", "/", one, &[("host", "a"), ("content-length", "5"), ("transfer-encoding", "chunked")], 400),
        ("HTTP-001", "POST", "/", one, &[("host", "a"), ("content-length", "5"), ("content-length", "5")], 400),
        ("HTTP-001", "POST", "/", one, &[("host", "a"), ("content-length", "+5")], 400),
        ("HTTP-002", "POST", "/", one, &[("host", "a"), ("transfer-encoding", "xchunked")], 400),
        ("HTTP-002", "POST", "/", one, &[("host", "a"), ("transfer-encoding", "gzip, chunked")], 400),
        ("HTTP-002", "POST", "/", one, &[("host", "a"), ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], 400),
        ("HTTP-002", "POST", "/", Version::HTTP_10, &[("host", "a"), ("transfer-encoding", "chunked")], 400),
        ("HTTP-006", "CONNECT", "a:80", one, &[("host", "a:80")], 405),
        ("HTTP-006", "TRACE", "/", one, &[("host", "a")], 405),
        ("HTTP-006", "TRACE", "https://a/", two, &[], 405),
        ("HTTP-006", "GET", "/", one, &[("host", "a"), ("upgrade", "websocket")], 400),
        ("HTTP-006", "POST", "/", one, &[("host", "a"), ("connection", "upgrade"), ("upgrade", "websocket")], 501),
        ("HTTP-006", "GET", "/", one, &[("host", "a"), ("connection", "upgrade"), ("upgrade", "websocket, x")], 501),
        ("HTTP-006", "GET", "/", one, &[("host", "a"), ("connection", "upgrade"), ("upgrade", "HTTP/2.0")], 501),
        ("HTTP-006", "GET", "/", one, &[("host", "a"), ("connection", "upgrade"), ("upgrade", "TLS/1.2")], 501),
        ("HTTP-006", "GET", "/", two, &[("host", "a"), ("connection", "upgrade"), ("upgrade", "websocket")], 501),
        ("HTTP-007", "POST", "/", one, &[("host", "a"), ("expect", "y 100-continue")], 417),
        ("HTTP-007", "POST", "/", one, &[("host", "a"), ("expect", "100-continue"), ("expect", "y")], 417),
        ("HTTP-007", "POST", "/", one, &[("host", "a"), ("expect", "100-continue, y")], 417),
        ("HTTP-008", "OPTIONS", "*", one, &[("host", "a")], 400),
        ("GWID-003", "GET", "/", one, &[("host", "a"), ("connection", "close, X-User")], 400),
        ("GWID-003", "GET", "/", one, &[("host", "a"), ("connection", "authorization")], 400),
        ("GWID-003", "GET", "/", one, &[("host", "a"), ("connection", "x_forwarded_for")], 400),
        ("GWID-003", "GET", "/", one, &[("host", "a"), ("connection", "te, content-length")], 400),
        ("GWID-003", "GET", "/", one, &[("host", "a"), ("connection", "Cookie")], 400),
    ] {
        assert_eq!(refused(method, target, version, fields), status, "{id}: {method} {target} {fields:?}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_understood() {
    // GWDOS-005
    let long = format!("/{}", "a".repeat(TARGET));
    assert_eq!(refused("GET", &long, Version::HTTP_11, &[("host", "a")]), 414);
    let many = vec![("host", "a"); FIELDS + 1];
    assert_eq!(refused("GET", "/", Version::HTTP_11, &many), 431);
}

#[test]
fn what_is_clear_passes() {
    let (one, two) = (Version::HTTP_11, Version::HTTP_2);
    for (method, target, version, fields, authority, framing) in [
        ("GET", "/", one, &[("host", "a:8443"), ("connection", "keep-alive")][..], "a:8443", None),
        ("GET", "http://a/x", one, &[("host", "a")], "a", None),
        ("GET", "/", one, &[("host", "[::1]:8443"), ("upgrade", "h2c"), ("connection", "upgrade, http2-settings")], "[::1]:8443", None),
        ("POST", "/", one, &[("host", "a"), ("content-length", "5"), ("expect", "100-continue")], "a", Some(Upload::Length(5))),
        ("POST", "/", one, &[("host", "a"), ("transfer-encoding", "chunked")], "a", Some(Upload::Chunked)),
        ("GET", "https://a/", two, &[], "a", None),
        ("GET", "https://a/", two, &[("host", "a")], "a", None),
    ] {
        let parts = parts(method, target, version, fields);
        let accepted = accept(&parts).expect(target);
        assert_eq!((accepted.authority, accepted.framing), (authority, framing), "{target}");
    }
}
