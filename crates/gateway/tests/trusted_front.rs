//! Plain HTTP bears credentials from nobody but a listed front, whose clients are those that it names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use std::net::SocketAddr;

use durward_model::RevocationKind;
use fixture::Fixture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

/// What the gateway says to bytes from an address.
async fn said(gateway: &Fixture, from: [u8; 4], bytes: &[u8]) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    let mut stream = socket.connect(gateway.plain).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is refused may be reset.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn request(target: &str, token: Option<&str>) -> Vec<u8> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("GET {target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nX-Forwarded-For: 10.9.9.9\r\n{authorization}\r\n")
        .into_bytes()
}

const FRONT: [u8; 4] = [127, 0, 0, 1];
const ANYBODY: [u8; 4] = [127, 0, 0, 2];

/// Version 2, from 203.0.113.9, whose connection to the front is or is not over TLS.
fn version_2(client: u8) -> Vec<u8> {
    let addresses = [203, 0, 113, 9, 127, 0, 0, 1, 0x30, 0x39, 1, 0xbb];
    [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x14"[..], &addresses, &[0x20, 0, 5, client, 0, 0, 0, 0]].concat()
}

/// GWID-001, GWDOS-009
#[tokio::test]
async fn plain_http_bears_credentials_behind_a_listed_front_alone() {
    let gateway = Fixture::start().await;
    let token = gateway.token("customer");
    let (with, without) = (request("/me", Some(&token)), request("/public", None));
    let behind = |header: &[u8], request: &[u8]| [header, request].concat();
    let version_1 = b"PROXY TCP4 203.0.113.7 127.0.0.1 1234 443\r\n";
    for (from, bytes, status, client) in [
        (FRONT, behind(version_1, &with), 200, "203.0.113.7"),
        (FRONT, behind(&version_2(1), &with), 200, "203.0.113.9"),
        // The front took it in the clear, and says so.
        (FRONT, behind(&version_2(0), &with), 403, "203.0.113.9"),
        (FRONT, behind(&version_2(0), &without), 200, "203.0.113.9"),
        (ANYBODY, with.clone(), 403, "127.0.0.2"),
        (ANYBODY, without.clone(), 200, "127.0.0.2"),
        // Nobody else's word counts: it is no request.
        (ANYBODY, behind(version_1, &with), 400, "127.0.0.2"),
    ] {
        let answer = said(&gateway, from, &bytes).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
        let id = answer.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
        let event = gateway.events().await.into_iter().find(|event| event.id.to_string() == id).unwrap();
        assert_eq!(event.request.unwrap().address.as_deref(), Some(client), "{answer}");
        if status == 200 {
            let (_, heard) = answer.split_once("\r\n\r\n").unwrap();
            let heard: serde_json::Value = serde_json::from_str(heard).unwrap();
            assert_eq!(heard["fields"]["x-forwarded-for"], client);
        }
    }
    // A front that says nothing of its connection, or something else, is not answered, whatever follows.
    let before = gateway.events().await.len();
    for bytes in [with, behind(b"PROXY TCP4 203.0.113.7 127.0.0.1 1234 443\n", &without), behind(b"PROXY ", &without)] {
        assert_eq!(said(&gateway, FRONT, &bytes).await, "");
    }
    let events = gateway.events().await;
    // One event tells of them: the rest of the minute is counted.
    assert_eq!((events.len(), events[0].reason.as_deref()), (before + 1, Some("proxy.malformed")));
}

/// What a front holds open for its client ends with the client's credential.
#[tokio::test]
async fn the_client_behind_a_front_is_cut_off_like_any_other() {
    let gateway = Fixture::start().await;
    let token = gateway.token("customer");
    gateway.revoke(RevocationKind::Session, "session-1");
    let bytes = [&version_2(1)[..], &request("/me", Some(&token))].concat();
    assert!(said(&gateway, FRONT, &bytes).await.starts_with("HTTP/1.1 401 "));
}
