//! WebSocket and streams: who opens them, and how long they last.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use durward_base::Duration;
use durward_model::RevocationKind;
use fixture::{Fixture, read_until};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";

fn request(fields: &str) -> String {
    format!(
        "GET /me HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n"
    )
}

/// A tunnel through a gateway: both of its ends.
async fn open(gateway: &Fixture, upstream: &TcpListener, token: &str) -> (TcpStream, TcpStream) {
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    // HTTP-006: what comes ahead of the answer waits for it.
    client.write_all(format!("{}ahead", request(&format!("Authorization: Bearer {token}\r\n"))).as_bytes()).await.unwrap();
    let (mut server, _) = upstream.accept().await.unwrap();
    let heard = read_until(&mut server, "\r\n\r\n").await;
    assert!(heard.contains("connection: upgrade\r\nupgrade: websocket\r\n") && heard.contains("sec-websocket-key: k\r\n"), "{heard}");
    server.write_all(format!("{SWITCHED}hello").as_bytes()).await.unwrap();
    let answer = read_until(&mut client, "hello").await;
    assert!(answer.starts_with("HTTP/1.1 101 Switching Protocols\r\n") && answer.contains("sec-websocket-accept: x\r\n"), "{answer}");
    assert!(answer.contains("upgrade: websocket\r\n") && answer.contains("connection: upgrade\r\n"), "{answer}");
    assert_eq!(read_until(&mut server, "ahead").await, "ahead");
    (client, server)
}

async fn is_cut(client: &mut TcpStream, server: &mut TcpStream) -> bool {
    let both = async { (client.read(&mut [0; 64]).await.unwrap_or(0), server.read(&mut [0; 64]).await.unwrap_or(0)) };
    tokio::time::timeout(Duration::from_secs(1), both).await == Ok((0, 0))
}

#[tokio::test]
async fn a_tunnel_passes_bytes_both_ways_and_ends_within_a_second_of_its_credential() {
    // GWPATH-011
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for expires in [false, true] {
        let gateway = Fixture::before(upstream.local_addr().unwrap()).await;
        let (mut client, mut server) = open(&gateway, &upstream, &gateway.token("customer")).await;
        client.write_all(b"ping").await.unwrap();
        assert_eq!(read_until(&mut server, "ping").await, "ping");
        server.write_all(b"pong").await.unwrap();
        assert_eq!(read_until(&mut client, "pong").await, "pong");
        if expires {
            gateway.clock.advance(Duration::from_secs(400));
        } else {
            gateway.revoke(RevocationKind::Session, "session-1");
        }
        assert!(is_cut(&mut client, &mut server).await, "expires: {expires}");
        assert_eq!(gateway.events().await.len(), 1);
    }
}

#[tokio::test]
async fn a_tunnel_is_opened_by_a_credential_of_this_origin_and_by_the_upstreams_own_word() {
    // GWPATH-011, HTTP-006
    let gateway = Fixture::start().await;
    let token = format!("Authorization: Bearer {}\r\n", gateway.token("customer"));
    for (fields, status) in [
        (String::new(), 401),
        (format!("{token}Origin: https://evil.example\r\n"), 403),
        (format!("{token}Origin: null\r\n"), 403),
        (format!("{token}Origin: http://shop.example\r\n"), 403),
        (format!("{token}Origin: https://shop.example\r\nOrigin: https://shop.example\r\n"), 403),
        // The upstream goes on with HTTP: so does the answer, and what follows the request is not read.
        (format!("{token}Origin: https://shop.example\r\n"), 200),
    ] {
        let smuggled = "GET /public/smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n";
        let answer = gateway.raw(&format!("{}{smuggled}", request(&fields))).await;
        assert_eq!(answer.status, status, "{fields}: {answer:?}");
        assert_eq!(answer.head.matches("HTTP/1.1").count() + answer.body.matches("HTTP/1.1").count(), 1, "{answer:?}");
    }
    assert_eq!(gateway.events().await.len(), 6);
}

#[tokio::test]
async fn an_upstream_that_switches_to_another_protocol_is_not_followed() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Fixture::before(upstream.local_addr().unwrap()).await;
    for answer in [SWITCHED.replace("Upgrade: websocket", "Upgrade: other"), SWITCHED.replace("Upgrade: websocket\r\n", "")] {
        let mut client = TcpStream::connect(gateway.address).await.unwrap();
        client.write_all(request(&format!("Authorization: Bearer {}\r\n", gateway.token("customer"))).as_bytes()).await.unwrap();
        let (mut server, _) = upstream.accept().await.unwrap();
        read_until(&mut server, "\r\n\r\n").await;
        server.write_all(answer.as_bytes()).await.unwrap();
        assert!(read_until(&mut client, "}").await.starts_with("HTTP/1.1 502"), "{answer}");
    }
}

#[tokio::test]
async fn events_go_on_as_they_come_and_end_with_the_credential() {
    // GWPATH-011
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = Fixture::before(upstream.local_addr().unwrap()).await;
    let token = gateway.token_with("customer", json!({}));
    let mut client = TcpStream::connect(gateway.address).await.unwrap();
    client.write_all(format!("GET /me HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Bearer {token}\r\n\r\n").as_bytes()).await.unwrap();
    let (mut server, _) = upstream.accept().await.unwrap();
    read_until(&mut server, "\r\n\r\n").await;
    server.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").await.unwrap();
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        server.write_all(event.as_bytes()).await.unwrap();
        read_until(&mut client, &format!("{event}\r\n")).await;
    }
    gateway.revoke(RevocationKind::Family, "family-1");
    assert!(is_cut(&mut client, &mut server).await);
}
