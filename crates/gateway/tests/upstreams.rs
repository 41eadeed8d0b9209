//! Hosts behind the gateway: which one a request goes to, what becomes of it when that one fails, and what is on record.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use durward_model::Outcome;
use fixture::{Fixture, upstream};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn route(name: &str, upstream: impl Into<Value>, more: Value) -> Value {
    let mut route = json!({"kind": "route", "name": name, "path": format!("/{name}"), "upstream": upstream.into(), "service": "inventory", "access": "public"});
    route.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    route
}

async fn listening() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// A host that reads a request and closes the connection.
async fn closing() -> String {
    let (listener, url) = listening().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    url
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

#[tokio::test]
async fn a_request_without_effect_is_sent_again_with_its_body_and_on_record_once() {
    // GWDOS-008, FLT-030
    let (bad, good) = (closing().await, upstream().await.to_string());
    let mut gateway = Fixture::start().await;
    gateway.declare([route("shared", json!([bad, format!("http://{good}")]), json!({}))]);
    let mut again = 0;
    for _ in 0..8 {
        let answer = gateway.send("PUT", "/shared", &[("Content-Length", "5")], "hello").await;
        assert_eq!((answer.status, &answer.json()["length"]), (200, &json!(5)), "{answer:?}");
        let event = gateway.event(&answer).await;
        assert_eq!((event.outcome, event.request.unwrap().upstream.as_deref()), (Outcome::Allowed, Some(good.as_str())));
        again += event.detail.iter().filter(|detail| detail.starts_with("sent again, for ")).count();
    }
    assert!(again > 0);
    assert_eq!(gateway.events().await.len(), 8);
    // What comes as it goes cannot be sent again.
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let answer = gateway.send("PUT", "/shared", &[("Transfer-Encoding", "chunked")], "2\r\nhi\r\n0\r\n\r\n").await;
        assert!(gateway.event(&answer).await.detail.is_none_or(|detail| !detail.contains("sent again")));
        statuses.push(answer.status);
    }
    assert!(statuses.contains(&502) && statuses.contains(&200), "{statuses:?}");
}

#[tokio::test]
async fn what_takes_too_long_is_504_and_what_failed_is_502() {
    // GWDOS-008
    let (silent, url) = listening().await;
    let mut gateway = Fixture::start().await;
    let secure = url.replace("http:", "https:");
    gateway.declare([
        route("answer", url, json!({"timeouts": {"answer_ms": 20}})),
        route("connect", secure.clone(), json!({"timeouts": {"connect_ms": 20}})),
        route("unknown", secure, json!({"upstream_tls": "mesh"})),
        route("closed", closing().await, json!({})),
    ]);
    for (name, status, code) in [
        ("answer", 504, "upstream_timeout"),
        ("connect", 504, "upstream_connect_timeout"),
        ("unknown", 502, "upstream_tls"),
        ("closed", 502, "upstream_closed"),
    ] {
        let answer = gateway.get(&format!("/{name}"), &[]).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{name}");
        let event = gateway.event(&answer).await;
        assert_eq!((event.outcome, event.reason.as_deref()), (Outcome::Failed, Some(code)), "{name}");
        assert!(event.detail.is_some() && event.request.unwrap().upstream.is_some(), "{name}");
    }
    drop(silent);
}

#[tokio::test]
async fn an_answer_that_stops_halfway_is_cut_off() {
    // GWDOS-008
    let (listener, url) = listening().await;
    let mut gateway = Fixture::start().await;
    gateway.declare([route("stalls", url, json!({"timeouts": {"idle_ms": 500}}))]);
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await.unwrap();
        stream.read(&mut [0]).await.unwrap()
    });
    let answer = gateway.get("/stalls", &[]).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "half"));
    assert_eq!(served.await.unwrap(), 0, "the host is let go, too");
}

#[tokio::test]
async fn a_route_with_too_much_under_way_says_when_to_come_back() {
    let (listener, url) = listening().await;
    let mut gateway = Fixture::start().await;
    gateway.declare([route("narrow", url, json!({"max_in_flight": 1, "timeouts": {"answer_ms": 60_000}}))]);
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(b"GET /narrow HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let refused = gateway.get("/narrow", &[]).await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str(), refused.header("retry-after")),
        (503, Some("upstream_overloaded"), Some("1"))
    );
    assert_eq!(gateway.event(&refused).await.reason.as_deref(), Some("upstream_overloaded"));
    read_head(&mut stream).await;
    stream.write_all(OK).await.unwrap();
    let mut answer = [0; 12];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_host_that_a_reload_takes_away_finishes_what_it_has() {
    let ((old, url), (new, new_url)) = (listening().await, listening().await);
    let mut gateway = Fixture::start().await;
    gateway.declare([route("moving", url, json!({"timeouts": {"answer_ms": 60_000}}))]);
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(b"GET /moving HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let (mut before, _) = old.accept().await.unwrap();
    read_head(&mut before).await;
    gateway.change("moving", json!({"upstream": new_url}));
    let mut second = TcpStream::connect(gateway.address).await.unwrap();
    second.write_all(b"GET /moving HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let (mut after, _) = new.accept().await.unwrap();
    for (stream, client) in [(&mut after, &mut second), (&mut before, &mut client)] {
        if stream.peer_addr().is_ok() {
            stream.write_all(OK).await.unwrap();
        }
        let mut answer = [0; 12];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
    // Nothing is kept open to it.
    let mut rest = Vec::new();
    tokio::time::timeout(std::time::Duration::from_secs(60), before.read_to_end(&mut rest)).await.unwrap().unwrap();
}
