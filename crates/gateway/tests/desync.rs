//! The corpus of `http_desync_guardian` (Apache-2.0, see its folder) over real sockets: what it calls severe or ambiguous is refused and the
//! connection closed; what is forwarded is one request, as a service that reads every byte sees it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "what other tests use of the fixture")]

mod fixture;

use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use durward_model::Outcome;
use durward_net::http1::{Decoded, Framing, HeadReader};
use fixture::Fixture;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const CORPUS: [&str; 9] = [
    include_str!("http_desync_guardian/acceptable.yaml"),
    include_str!("http_desync_guardian/ambiguous.yaml"),
    include_str!("http_desync_guardian/bad-header-characters.yaml"),
    include_str!("http_desync_guardian/edge-cases.yaml"),
    include_str!("http_desync_guardian/more-compliant-tests.yaml"),
    include_str!("http_desync_guardian/real-life-test-cases.yaml"),
    include_str!("http_desync_guardian/rfc-compliant.yaml"),
    include_str!("http_desync_guardian/severe.yaml"),
    include_str!("http_desync_guardian/uri-specific-test-cases.yaml"),
];

/// Behind every request: read as one of its own, it would reach the origin.
const SMUGGLED: &[u8] = b"GET /public/smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n";

/// What an origin saw: target and length of the body of each request.
type Seen = Arc<Mutex<Vec<(String, usize)>>>;

/// An origin that reads every byte and takes nothing that could be read in two ways.
async fn origin() -> (std::net::SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Seen::default());
    let kept = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(requests(stream, Arc::clone(&kept)));
        }
    });
    (address, seen)
}

async fn requests(mut stream: TcpStream, seen: Seen) {
    let (mut reader, mut buffer) = (HeadReader::default(), BytesMut::new());
    loop {
        let head = loop {
            if let Some(head) = reader.take(&mut buffer, 64 * 1024).expect("what is forwarded has one reading") {
                break head;
            }
            if stream.read_buf(&mut buffer).await.unwrap() == 0 {
                return;
            }
        };
        let (mut framing, mut length) = (head.framing.unwrap_or(Framing::Length(0)), 0);
        loop {
            match framing.decode(&mut buffer).expect("what is forwarded has one length") {
                Decoded::Data(data) => length += data.len(),
                Decoded::End => break,
                Decoded::More => assert!(stream.read_buf(&mut buffer).await.unwrap() > 0, "a body is cut short"),
            }
        }
        seen.lock().unwrap().push((head.parts.uri.to_string(), length));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    }
}

/// The bytes of a case, in front of a smuggled request. Its path becomes one that has a route, and it names a host where it names none.
fn wire(case: &Value) -> Vec<u8> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let target = match text(&case["uri"]) {
        path if path.starts_with('/') => format!("/public{path}"),
        target => target,
    };
    let version = Some(text(&case["version"])).filter(|version| !version.is_empty());
    let version = version.map_or_else(String::new, |version| format!(" {version}"));
    let fields: Vec<_> =
        case["headers"].as_array().into_iter().flatten().map(|field| (text(&field["name"]), text(&field["value"]))).collect();
    let mut head = format!("{} {target}{version}\r\n", text(&case["method"]));
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head += "Host: shop.example\r\n";
    }
    for (name, value) in fields.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("connection")) {
        head += &format!("{name}:{value}\r\n");
    }
    head += "Connection: close\r\n\r\n";
    let length = fields.iter().find(|(name, _)| name == "Content-Length").and_then(|(_, value)| value.trim().parse::<usize>().ok());
    let is_chunked = fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
    let body = if is_chunked { b"2\r\nok\r\n0\r\n\r\n".to_vec() } else { vec![b'a'; length.unwrap_or_default().min(1 << 23)] };
    // The corpus writes bytes as characters of Latin-1.
    let byte = |c: char| u8::try_from(c).map_or_else(|_| c.to_string().into_bytes(), |byte| vec![byte]);
    [head.chars().flat_map(byte).collect(), body, SMUGGLED.to_vec()].concat()
}

/// The status of the one answer on a connection that is closed behind it.
async fn status(gateway: &Fixture, wire: &[u8]) -> u16 {
    let (mut read, mut write) = TcpStream::connect(gateway.address).await.unwrap().into_split();
    let wire = wire.to_vec();
    // A refusal comes before all is sent.
    let sending = tokio::spawn(async move {
        let _ = write.write_all(&wire).await;
        write
    });
    let mut answer = Vec::new();
    read.read_to_end(&mut answer).await.unwrap();
    drop(sending.await);
    let answer = String::from_utf8(answer).unwrap();
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// HTTP-001, HTTP-002
#[tokio::test]
async fn what_could_be_read_in_two_ways_reaches_nobody_and_the_rest_arrives_as_one_request() {
    let (address, seen) = origin().await;
    let gateway = Fixture::before(address).await;
    let (mut refused, mut passed) = (0, 0);
    for case in CORPUS.iter().flat_map(|text| serde_saphyr::from_str::<Vec<Value>>(text).unwrap()) {
        let status = status(&gateway, &wire(&case)).await;
        let seen = std::mem::take(&mut *seen.lock().unwrap());
        let events = gateway.events().await;
        assert_eq!(events.len(), refused + passed + 1, "{case}: one event a request");
        let tier = case["expected"]["tier"].as_str().unwrap();
        if status == 200 {
            assert!(matches!(tier, "Compliant" | "Acceptable"), "{case}");
            assert_eq!(seen.len(), 1, "{case}: {seen:?}");
            assert!(!seen[0].0.contains("smuggled"), "{case}: {seen:?}");
            passed += 1;
        } else {
            assert!(matches!(status, 400 | 505), "{case}: {status}");
            assert!(seen.is_empty(), "{case}: {seen:?}");
            assert_ne!(events[0].outcome, Outcome::Allowed, "{case}");
            refused += 1;
        }
    }
    // Refused though compliant: other transfer codings than chunked, and targets that are no ASCII, have a fragment or an encoded control
    // character.
    assert_eq!((refused, passed), (141, 17));
}
