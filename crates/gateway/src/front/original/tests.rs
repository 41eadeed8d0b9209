//! What fronts say, and what could be read in two ways.

use http::Request;

use super::*;

fn front() -> Client {
    Client { ip: Some([127, 0, 0, 1].into()), address: None, tls: false, certificate: None, requested: None }
}

fn read(target: &str, fields: &[(&str, &str)]) -> Result<Original, &'static str> {
    let request = fields.iter().fold(Request::get(target), |request, (name, value)| request.header(*name, *value));
    let parts = request.body(()).unwrap().into_parts().0;
    Original::of(&parts, &front()).map_err(|problem| if problem.code() == "front_ambiguous" { "ambiguous" } else { "malformed" })
}

const TRAEFIK: [(&str, &str); 5] = [
    ("x-forwarded-method", "POST"),
    ("x-forwarded-uri", "/orders?a=1"),
    ("x-forwarded-host", "shop.example"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-for", "10.9.9.9, 192.0.2.7"),
];
const NGINX: [(&str, &str); 3] =
    [("x-original-method", "GET"), ("x-original-url", "https://shop.example:8443/orders?a=1"), ("x-forwarded-for", "192.0.2.7")];

#[test]
fn each_front_is_understood() {
    let asked = read("/forward-auth", &TRAEFIK).unwrap();
    assert_eq!((asked.method.as_str(), asked.target.as_str(), asked.authority.as_str()), ("POST", "/orders?a=1", "shop.example"));
    // GWDOS, GWID-001: the address that the front has seen, not one that the client wrote.
    assert_eq!((asked.client.address.as_deref(), asked.client.tls), (Some("192.0.2.7"), true));
    assert!(asked.headers.is_empty());
    let asked = read("/forward-auth", &NGINX).unwrap();
    assert_eq!((asked.target.as_str(), asked.authority.as_str(), asked.client.tls), ("/orders?a=1", "shop.example:8443", true));
    let asked = read("/ext-authz/orders?a=1", &[("host", "shop.example"), ("x-forwarded-proto", "http")]).unwrap();
    assert_eq!((asked.target.as_str(), asked.authority.as_str(), asked.client.tls), ("/orders?a=1", "shop.example", false));
}

#[test]
fn what_a_front_says_in_two_ways_or_not_at_all_is_refused_gwid_001() {
    let without = |left: &str| TRAEFIK.iter().copied().filter(|(name, _)| *name != left).collect::<Vec<_>>();
    let with = |name, value| [&TRAEFIK[..], &[(name, value)]].concat();
    for (name, fields, expected) in [
        ("both ways", [&TRAEFIK[..], &NGINX[..2]].concat(), "ambiguous"),
        ("a second method", with("x-forwarded-method", "GET"), "ambiguous"),
        ("a second address", with("x-forwarded-uri", "/public"), "ambiguous"),
        ("one of the other way", with("x-original-url", "https://shop.example/public"), "ambiguous"),
        ("no method", without("x-forwarded-method"), "ambiguous"),
        ("no host", without("x-forwarded-host"), "malformed"),
        ("no scheme", without("x-forwarded-proto"), "malformed"),
        ("nothing", Vec::new(), "malformed"),
    ] {
        assert_eq!(read("/forward-auth", &fields).err(), Some(expected), "{name}");
    }
    for (name, value) in [
        ("x-forwarded-uri", "https://other/orders"),
        ("x-forwarded-uri", "/orders#x"),
        ("x-forwarded-uri", "/orders x"),
        ("x-forwarded-host", "a b"),
        ("x-forwarded-host", "user@shop.example"),
        ("x-forwarded-proto", "ftp"),
        ("x-forwarded-method", "GET /x"),
        ("x-forwarded-for", "unknown"),
    ] {
        let fields = [&without(name)[..], &[(name, value)]].concat();
        assert_eq!(read("/forward-auth", &fields).err(), Some("malformed"), "{name}: {value}");
    }
    // HTTP-006: what the gateway itself passes on for nobody.
    for method in ["TRACE", "CONNECT"] {
        let fields = [&without("x-forwarded-method")[..], &[("x-forwarded-method", method)]].concat();
        assert_eq!(read("/forward-auth", &fields).err(), Some("malformed"), "{method}");
    }
    assert_eq!(read("/other", &TRAEFIK).err(), Some("malformed"));
    assert_eq!(read("/ext-authzorders", &[("host", "a"), ("x-forwarded-proto", "https")]).err(), Some("malformed"));
}

/// nginx's auth_request takes all but 2xx, 401 and 403 for a failure of its own.
#[test]
fn each_front_is_answered_with_what_it_understands() {
    for (status, fitted) in [(200, 200), (303, 401), (401, 401), (403, 403), (400, 403), (405, 403), (429, 403), (503, 503)] {
        let answer = || Response::builder().status(status).body(Body::empty()).unwrap();
        assert_eq!(Dialect::Original.fitted(answer()).status(), fitted, "{status}");
        assert_eq!(Dialect::Forwarded.fitted(answer()).status(), status);
        assert_eq!(Dialect::Envoy.fitted(answer()).status(), status);
    }
}
