//! Connections over a pipe, and the same traffic through hyper.

use std::convert::Infallible;

use bytes::Bytes;
use durward_base::{Duration, Timestamp};
use durward_testkit::FakeClock;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;
use crate::{Problem, Shutdown};

/// Answers with what it was sent, as text.
struct Echo;

async fn echo<B>(request: Request<B>) -> Response<Full<Bytes>>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let (parts, body) = request.into_parts();
    if parts.uri.path() == "/unread" {
        return Response::new(Full::from("unread"));
    }
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Response::builder().status(400).body(Full::from(format!("{error:?}"))).unwrap(),
    };
    let mut fields: Vec<_> = parts.headers.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    fields.sort();
    let status = if parts.uri.path() == "/204" { 204 } else { 200 };
    Response::builder().status(status).body(Full::from(format!("{} {} {fields:?} {body:?}", parts.method, parts.uri))).unwrap()
}

impl Answer for Echo {
    type Body = Full<Bytes>;

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        echo(request).await
    }

    async fn refuse(&self, refused: Refused) -> Response<Full<Bytes>> {
        let problem = Problem::from(refused);
        Response::builder().status(problem.status()).body(Full::from(problem.code().to_owned())).unwrap()
    }
}

fn connect() -> (DuplexStream, Shutdown) {
    let (client, server) = duplex(1 << 20);
    let shutdown = Shutdown::new();
    let clock = FakeClock::at(Timestamp::from_seconds(1_800_000_000)).clock();
    let limit = Duration::from_millis(200);
    let allowances = Allowances { head_bytes: 32 * 1024, head: limit, idle: limit, clock };
    let token = shutdown.clone();
    tokio::spawn(async move { serve(server, Echo, allowances, &token).await });
    (client, shutdown)
}

/// Everything that a connection answers to these bytes, sent in these pieces.
async fn answers(pieces: &[&[u8]]) -> String {
    let (mut client, _shutdown) = connect();
    for piece in pieces {
        client.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    read_to_end(&mut client).await
}

async fn read_to_end(client: &mut DuplexStream) -> String {
    let mut answers = Vec::new();
    client.read_to_end(&mut answers).await.unwrap();
    String::from_utf8(answers).unwrap()
}

#[tokio::test]
async fn requests_behind_one_another_are_answered_in_turn() {
    let two = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nokGET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for step in [1, 7, two.len()] {
        let answers = answers(&two.chunks(step).collect::<Vec<_>>()).await;
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
        assert!(answers.find("POST /a").unwrap() < answers.find("GET /b").unwrap(), "{answers}");
        assert!(answers.contains("b\"ok\"") && answers.contains("date: Fri, 15 Jan 2027 08:00:00 GMT\r\n"), "{answers}");
    }
}

#[tokio::test]
async fn what_is_refused_is_answered_once_and_nothing_behind_it_is_read() {
    // HTTP-001
    let smuggled = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
    let answers = answers(&[smuggled]).await;
    assert!(answers.starts_with("HTTP/1.1 400 Bad Request\r\n") && answers.contains("connection: close\r\n"), "{answers}");
    assert!(answers.ends_with("transfer_encoding") && answers.matches("HTTP/1.1").count() == 1, "{answers}");
}

#[tokio::test]
async fn a_body_that_breaks_its_coding_ends_the_connection() {
    // HTTP-004
    for body in ["0x2\r\nok\r\n0\r\n\r\n", "2\nok\r\n0\r\n\r\n", "2\r\nokX", "0\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let request =
            format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}GET /admin HTTP/1.1\r\nHost: a\r\n\r\n");
        let answers = answers(&[request.as_bytes()]).await;
        assert!(answers.starts_with("HTTP/1.1 400") && answers.matches("HTTP/1.1 ").count() == 1, "{body:?}: {answers}");
    }
}

#[tokio::test]
async fn a_body_nobody_reads_is_passed_over_when_it_is_there_and_ends_the_connection_when_it_is_not() {
    // HTTP-007
    let next = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let there = answers(&[format!("POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok{next}").as_bytes()]).await;
    assert!(there.contains("GET /next"), "{there}");
    for head in ["Content-Length: 100", "Content-Length: 100\r\nExpect: 100-continue", "Transfer-Encoding: chunked"] {
        let missing = answers(&[format!("POST /unread HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n").as_bytes(), next.as_bytes()]).await;
        assert!(missing.contains("connection: close") && !missing.contains("GET /next"), "{head}: {missing}");
        assert!(!missing.contains("100 Continue"), "{head}: {missing}");
    }
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_go_on() {
    let (mut client, _shutdown) = connect();
    client
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut interim = [0; 25];
    client.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"ok").await.unwrap();
    assert!(read_to_end(&mut client).await.contains("b\"ok\""));
}

#[tokio::test]
async fn answers_without_content_have_none() {
    let requests =
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answers = answers(&[requests.as_bytes()]).await;
    let heads: Vec<_> = answers.split("HTTP/1.1 ").skip(1).collect();
    assert!(heads[0].ends_with("\r\n\r\n") && heads[1].starts_with("204") && heads[1].ends_with("\r\n\r\n"), "{answers}");
    assert!(!heads[1].contains("content-length") && heads[2].contains("GET /"), "{answers}");
}

#[tokio::test]
async fn a_client_of_the_old_version_is_answered_and_the_connection_closed() {
    let answers = answers(&[b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"]).await;
    assert!(answers.starts_with("HTTP/1.1 200 OK") && answers.contains("connection: close"), "{answers}");
}

#[tokio::test]
async fn a_head_that_comes_too_slowly_is_given_up_however_it_trickles_in() {
    // GWDOS-004
    let (mut client, _shutdown) = connect();
    let drip = async {
        loop {
            if client.write_all(b"G").await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut answer = [0; 12];
            if let Ok(Ok(12)) = tokio::time::timeout(Duration::from_millis(1), client.read_exact(&mut answer)).await {
                assert_eq!(&answer, b"HTTP/1.1 408");
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(2), drip).await.unwrap();
}

#[tokio::test]
async fn a_silent_connection_and_a_silent_body_are_given_up() {
    // GWDOS-004
    let (mut client, _shutdown) = connect();
    assert_eq!(read_to_end(&mut client).await, "");
    let answers = answers(&[b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\no"]).await;
    assert!(answers.contains("TooSlow") && answers.contains("connection: close"), "{answers}");
}

#[tokio::test]
async fn a_connection_at_rest_ends_with_the_listener() {
    let (mut client, shutdown) = connect();
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    client.read_exact(&mut [0; 12]).await.unwrap();
    shutdown.cancel();
    read_to_end(&mut client).await;
}

/// What hyper makes of the same bytes: status and body of each answer.
async fn through_hyper(wire: Vec<u8>) -> String {
    let (mut client, server) = duplex(1 << 20);
    let service = hyper::service::service_fn(|request| async { Ok::<_, Infallible>(echo(request).await) });
    tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(server), service));
    client.write_all(&wire).await.unwrap();
    read_to_end(&mut client).await
}

/// The status lines and bodies of answers that all have a length.
fn told(answers: &str) -> Vec<(String, String)> {
    let (mut rest, mut told) = (answers, Vec::new());
    while let Some((head, after)) = rest.split_once("\r\n\r\n") {
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        told.push((head.lines().next().unwrap_or_default().to_owned(), after[..length].to_owned()));
        rest = &after[length..];
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn well_formed_traffic_is_read_as_hyper_reads_it(
        requests in prop::collection::vec(("POST|PUT|PATCH|DELETE", "/[a-z0-9/._~-]{0,20}(\\?[a-z=&]{0,10})?",
            prop::collection::vec(("x-[a-z0-9-]{1,12}", "([!-~]([ -~]{0,20}[!-~])?)?"), 0..8),
            prop::collection::vec("[ -~]{1,40}", 0..4), any::<bool>()), 1..5),
        step in 1_usize..200,
    ) {
        let mut wire = Vec::new();
        for (at, (method, target, fields, pieces, chunked)) in requests.iter().enumerate() {
            let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let last = if at + 1 == requests.len() { "Connection: close\r\n" } else { "" };
            let (framing, body) = if *chunked {
                let chunks: String = pieces.iter().map(|piece| format!("{:x};x=1\r\n{piece}\r\n", piece.len())).collect();
                ("Transfer-Encoding: chunked\r\n".to_owned(), format!("{chunks}0\r\nx: y\r\n\r\n"))
            } else {
                (format!("Content-Length: {}\r\n", pieces.concat().len()), pieces.concat())
            };
            wire.extend(format!("{method} {target} HTTP/1.1\r\nHost: a\r\n{lines}{framing}{last}\r\n{body}").into_bytes());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (ours, theirs) = runtime.block_on(async { (answers(&wire.chunks(step).collect::<Vec<_>>()).await, through_hyper(wire.clone()).await) });
        prop_assert_eq!(told(&ours), told(&theirs));
        prop_assert_eq!(told(&ours).len(), requests.len());
    }
}
