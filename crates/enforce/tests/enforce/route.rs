//! The route table.

use std::sync::Arc;

use durward_enforce::{NormalPath, RouteError, RouteProblem, RouteTable, Routed};
use durward_model::{Record, Stored};
use serde_json::{Value, json};

fn route(name: &str, path: &str) -> Value {
    json!({"kind": "route", "name": name, "path": path, "upstream": "http://127.0.0.1:8080", "service": "s", "require": {"authenticated": true}})
}

fn stored(route: Value) -> Arc<Stored> {
    match crate::fixture::resource("main", route) {
        Record::Resource(stored) => Arc::new(*stored),
        _ => unreachable!("a resource"),
    }
}

fn table(routes: &[Value]) -> Result<RouteTable, RouteProblem> {
    let (table, mut problems) = compile(routes);
    if problems.is_empty() { Ok(table) } else { Err(problems.remove(0)) }
}

/// Each made after the one before.
fn compile(routes: &[Value]) -> (RouteTable, Vec<RouteProblem>) {
    let made = |(number, route): (usize, &Value)| {
        let mut stored = Stored::clone(&stored(route.clone()));
        stored.id = durward_base::ResourceId::from_bytes([u8::try_from(number).unwrap(); 16]);
        Arc::new(stored)
    };
    RouteTable::compile(&routes.iter().enumerate().map(made).collect::<Vec<_>>(), &RouteTable::default())
}

fn find(table: &RouteTable, host: &str, method: &str, path: &str) -> Result<Routed, RouteError> {
    table.find(host, method, &NormalPath::parse(path.as_bytes()).unwrap())
}

fn name(table: &RouteTable, path: &str) -> String {
    find(table, "any.example", "GET", path).map_or_else(|_| "-".to_owned(), |routed| routed.route().name().to_string())
}

#[test]
fn the_most_specific_path_wins() {
    let routes = [
        route("all", "/"),
        route("orders", "/orders"),
        route("order", "/orders/{id}"),
        route("new", "/orders/new"),
        route("items", "/orders/{id}/items"),
        route("files", "/files/{path...}"),
        route("readme", "/files/docs/readme"),
        crate::fixture::with(route("exact", "/exact"), "exact", json!(true)),
    ];
    for routes in [routes.to_vec(), routes.iter().rev().cloned().collect()] {
        let table = table(&routes).unwrap();
        let cases = [
            ("/", "all"),
            ("/other", "all"),
            ("/orders", "orders"),
            ("/orders/", "orders"),
            ("/orders/5", "order"),
            ("/orders/5/other", "order"),
            ("/orders/new", "new"),
            ("/orders/new/deep", "new"),
            ("/orders/5/items/7", "items"),
            ("/orders/new/items", "new"),
            ("/files", "all"),
            ("/files/a", "files"),
            ("/files/a/b", "files"),
            ("/files/docs/readme", "readme"),
            ("/files/docs/other", "files"),
            ("/exact", "exact"),
            ("/exact/", "all"),
            ("/exact/below", "all"),
            ("/ORDERS", "all"),
            ("/ordersx", "all"),
        ];
        for (path, expected) in cases {
            assert_eq!(name(&table, path), expected, "{path}");
        }
    }
}

#[test]
fn deny_by_default_and_a_method_a_route_is_not_for_is_405_never_a_wider_route() {
    let table = table(&[
        crate::fixture::with(route("read", "/stock/{sku}"), "methods", json!(["GET", "HEAD"])),
        crate::fixture::with(route("write", "/stock/{sku}"), "methods", json!(["PUT"])),
        route("stock", "/stock"),
    ])
    .unwrap();
    assert_eq!(find(&table, "h", "GET", "/nothing").unwrap_err(), RouteError::NotFound);
    assert_eq!(find(&RouteTable::default(), "h", "GET", "/").unwrap_err(), RouteError::NotFound);
    assert_eq!(find(&table, "h", "PUT", "/stock/1").unwrap().route().name().as_ref(), "write");
    let allowed = ["GET", "HEAD", "PUT"].map(str::to_owned).to_vec();
    for method in ["DELETE", "get", "PUT ", ""] {
        assert_eq!(
            find(&table, "h", method, "/stock/1").unwrap_err(),
            RouteError::MethodNotAllowed { allowed: allowed.clone() },
            "{method}"
        );
    }
}

#[test]
fn parameters_have_their_decoded_values() {
    let table = table(&[route("item", "/orders/{order}/items/{item}"), route("files", "/files/{path...}")]).unwrap();
    let routed = find(&table, "h", "GET", "/orders/caf%C3%A9/items/a%20b").unwrap();
    assert_eq!((routed.parameter("order"), routed.parameter("item"), routed.parameter("other")), (Some("café"), Some("a b"), None));
    assert_eq!(find(&table, "h", "GET", "/files/a/b%20c/d").unwrap().parameter("path"), Some("a/b c/d"));
}

#[test]
fn a_named_host_comes_before_any() {
    let table = table(&[
        crate::fixture::with(route("shop", "/orders"), "host", json!("shop.example")),
        crate::fixture::with(route("admin", "/orders"), "host", json!("admin.example")),
        route("any", "/orders"),
        route("any-health", "/health"),
    ])
    .unwrap();
    let on = |host, path| find(&table, host, "GET", path).unwrap().route().name().to_string();
    assert_eq!(on("shop.example", "/orders/1"), "shop");
    assert_eq!(on("admin.example", "/orders/1"), "admin");
    assert_eq!(on("other.example", "/orders/1"), "any");
    assert_eq!(on("shop.example", "/health"), "any-health");
    assert_eq!(on("evil-shop.example", "/orders"), "any");
}

#[test]
fn a_route_that_is_wrong_is_refused_with_its_name() {
    let cases = [
        (json!({"require": {}}), "requires nothing"),
        (json!({"access": "public"}), "is public and yet requires something"),
        (json!({"access": "public", "require": {}, "authorize": {"action": "a"}}), "is public and yet requires something"),
        (json!({"accept": []}), "`accept` is empty"),
        (json!({"methods": ["get"]}), "capitals"),
        (json!({"methods": [""]}), "capitals"),
        (json!({"host": "Shop.Example"}), "lower case"),
        (json!({"host": "shop.example:443"}), "without port"),
        (json!({"path": "orders"}), "does not begin"),
        (json!({"path": "/orders/"}), "empty segment"),
        (json!({"path": "/a//b"}), "empty segment"),
        (json!({"path": "/a/../b"}), "dot segment"),
        (json!({"path": "/a%2fb"}), "percent-encodes"),
        (json!({"path": "/{}"}), "no parameter"),
        (json!({"path": "/{a-b}"}), "no parameter"),
        (json!({"path": "/{a}/{a}"}), "appears twice"),
        (json!({"path": "/{a...}/b"}), "nothing may follow"),
        (json!({"path": "/x{a}"}), "byte"),
        (json!({"path": "/{a...}", "exact": true}), "says nothing"),
        (json!({"upstream": "ftp://127.0.0.1:8080"}), "http://host:port"),
        (json!({"upstream": []}), "has 0 hosts"),
        (json!({"upstream": ["http://h:80", "http://h"]}), "http://host:port"),
        (json!({"upstream": ["http://h:80", "http://i:80", "http://h:80"]}), "is there twice"),
        (json!({"upstream": ["https://h:80", "http://i:80"], "upstream_tls": "mesh"}), "there is another upstream"),
        (json!({"upstream_name": "h"}), "https://host:port alone"),
        (json!({"timeouts": {"connect_ms": 0}}), "expected 1 ms"),
        (json!({"timeouts": {"answer_ms": 3_600_001}}), "found 3600001 ms"),
        (json!({"max_in_flight": 0}), "nothing could ever pass"),
        (json!({"health_check": {"path": "healthz"}}), "health_check"),
        (json!({"health_check": {"path": "/a b"}}), "health_check"),
        (json!({"health_check": {"path": "/", "interval_seconds": 0}}), "health_check"),
        (json!({"upstream": "http://127.0.0.1"}), "http://host:port"),
        (json!({"upstream": "http://127.0.0.1:0"}), "http://host:port"),
        (json!({"upstream": "http://u@h:80"}), "http://host:port"),
        (json!({"upstream": "http://h:80/path"}), "http://host:port"),
        (json!({"upstream": "http://[::1:80"}), "http://host:port"),
        (json!({"identity_type": "jwt"}), "expected dw-id+jwt or JWT"),
        (json!({"service": ""}), "no service"),
        (json!({"authorize": {"action": "a", "resource": "Stock::\"{sku}\""}}), "but the path has none"),
        (json!({"authorize": {"action": "a", "resource": "Stock"}}), "is not an entity"),
    ];
    for (changes, message) in cases {
        let mut wrong = route("wrong", "/wrong");
        wrong.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let problem = table(&[route("good", "/good"), wrong]).unwrap_err();
        assert_eq!((problem.realm.as_str(), problem.route.as_str()), ("main", "wrong"));
        assert!(problem.message.contains(message), "{changes}: {}", problem.message);
    }
    let ipv6 = crate::fixture::with(route("six", "/six"), "upstream", json!("http://[::1]:80"));
    assert_eq!(name(&table(&[ipv6]).unwrap(), "/six"), "six");
}

#[test]
fn two_routes_for_the_same_requests_are_refused() {
    let get = |name, path| crate::fixture::with(route(name, path), "methods", json!(["GET"]));
    let host = |name, path| crate::fixture::with(route(name, path), "host", json!("h"));
    for (first, second) in [
        (route("a", "/x"), route("b", "/x")),
        (route("a", "/x/{p}"), route("b", "/x/{q}")),
        (route("a", "/x/{p...}"), route("b", "/x/{q...}")),
        (get("a", "/x"), route("b", "/x")),
        (get("a", "/x"), get("b", "/x")),
        (host("a", "/x"), host("b", "/x")),
        (route("a", "/"), route("b", "/")),
    ] {
        let problem = table(&[first, second]).unwrap_err();
        assert!(problem.message.contains("route \"a\""), "{}", problem.message);
    }
    for (first, second) in [
        (get("a", "/x"), crate::fixture::with(route("b", "/x"), "methods", json!(["PUT"]))),
        (host("a", "/x"), route("b", "/x")),
        (route("a", "/x"), crate::fixture::with(route("b", "/x"), "exact", json!(true))),
        (route("a", "/x"), route("b", "/x/{p...}")),
    ] {
        assert!(table(&[first, second]).is_ok());
    }
}

#[test]
fn everything_that_is_wrong_is_told_and_denied_and_the_others_are_served() {
    let (table, problems) = compile(&[
        route("all", "/"),
        route("first", "/x"),
        route("second", "/x"),
        crate::fixture::with(route("third", "/y/{z}"), "require", json!({})),
        crate::fixture::with(route("read", "/r"), "methods", json!(["GET"])),
        crate::fixture::with(route("both", "/r"), "methods", json!(["GET", "PUT"])),
        route("path", "/p/{a-b}"),
        route("p", "/p"),
        crate::fixture::with(route("host", "/"), "host", json!("Shop.Example:443")),
    ]);
    let names: Vec<_> = problems.iter().map(|problem| problem.route.as_str()).collect();
    assert_eq!(names, ["second", "third", "both", "path", "host"]);
    let unusable = |name: &str| RouteError::Unusable { route: name.into() };
    assert_eq!(name(&table, "/"), "all");
    assert_eq!(name(&table, "/x"), "first", "the one made first has what both claim");
    assert_eq!(find(&table, "h", "GET", "/y/1").unwrap_err(), unusable("third"), "and no wider route answers for it");
    assert_eq!((name(&table, "/y"), name(&table, "/r")), ("all".to_owned(), "read".to_owned()));
    assert_eq!(find(&table, "h", "PUT", "/r").unwrap_err(), unusable("both"));
    assert_eq!(find(&table, "h", "GET", "/p/1").unwrap_err(), unusable("path"));
    assert_eq!(name(&table, "/p"), "p");
    assert_eq!(find(&table, "shop.example", "GET", "/x").unwrap_err(), unusable("host"));
}
