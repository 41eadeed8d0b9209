use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// An upstream that answers each connection's requests with these bytes in turn, then closes it; and how many connections it saw.
async fn upstream(answers: &'static [&'static [u8]]) -> (Arc<Upstream>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let connections = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            seen.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                for answer in answers {
                    read_head(&mut stream).await;
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    (Upstreams::new(UpstreamTimeouts::default()).at(&address).unwrap(), connections)
}

async fn read_head(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await.unwrap() == 0 {
            return std::future::pending().await;
        }
        head.push(byte[0]);
    }
}

async fn call(upstream: &Arc<Upstream>, method: Method) -> Result<(u16, Vec<u8>), UpstreamError> {
    let head = format!("{method} / HTTP/1.1\r\nhost: x\r\n\r\n");
    let response = upstream.exchange(Outgoing { head: head.as_bytes(), method: &method, body: None, upgrade: None }).await?;
    let status = response.status().as_u16();
    Ok((status, response.into_body().collect().await?.to_bytes().to_vec()))
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let (upstream, connections) = upstream(&[OK, CHUNKED, OK]).await;
    for _ in 0..3 {
        assert_eq!(call(&upstream, Method::GET).await.unwrap(), (200, b"ok".to_vec()));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_request_without_effect_is_repeated_when_its_kept_connection_was_closed() {
    let (upstream, connections) = upstream(&[OK]).await;
    for _ in 0..5 {
        assert_eq!(call(&upstream, Method::GET).await.unwrap().0, 200);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn what_an_upstream_says_unasked_reaches_nobody() {
    // HTTP-009: a second answer behind the first.
    let (upstream, connections) =
        upstream(&[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", OK]).await;
    for _ in 0..4 {
        assert_eq!(call(&upstream, Method::GET).await.unwrap(), (200, b"ok".to_vec()));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn an_answer_that_breaks_http_is_no_answer() {
    // HTTP-009, GWDOS-008
    for (row, answer) in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok"[..],
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"<html>hello</html>\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
    ]
    .into_iter()
    .enumerate()
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Upstreams::new(UpstreamTimeouts::default()).at(&listener.local_addr().unwrap().to_string()).unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_head(&mut stream).await;
            stream.write_all(answer).await.unwrap();
        });
        let answered = call(&upstream, Method::GET).await;
        assert!(matches!(answered, Err(UpstreamError::Malformed(_))), "row {row}: {answered:?}");
    }
}

#[tokio::test]
async fn interim_answers_are_passed_over_and_counted() {
    let (upstream, _) = upstream(&[b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"]).await;
    assert_eq!(call(&upstream, Method::GET).await.unwrap(), (204, Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = Upstreams::new(UpstreamTimeouts::default()).at(&listener.local_addr().unwrap().to_string()).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(&b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)).await;
        std::future::pending::<()>().await;
    });
    assert!(matches!(call(&upstream, Method::GET).await, Err(UpstreamError::Malformed(_))));
}

#[tokio::test]
async fn an_upstream_that_is_not_there_or_does_not_answer_is_said_to_be_so() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let timeouts = UpstreamTimeouts { answer: Duration::from_millis(20), ..UpstreamTimeouts::default() };
    let gone = Upstreams::new(timeouts).at(&free.to_string()).unwrap();
    assert_eq!(call(&gone, Method::GET).await.unwrap_err().reason(), "upstream_unreachable");
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = Upstreams::new(timeouts).at(&silent.local_addr().unwrap().to_string()).unwrap();
    assert_eq!(call(&silent, Method::POST).await.unwrap_err().reason(), "upstream_timeout");
}

#[test]
fn an_upstream_is_host_and_port() {
    let upstreams = Upstreams::new(UpstreamTimeouts::default());
    for address in ["x", "x:", "x:http", "x:70000", ""] {
        assert!(upstreams.at(address).is_err(), "{address}");
    }
    assert_eq!(upstreams.at("[::1]:81").unwrap().host, "::1");
}
