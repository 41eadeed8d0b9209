use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use durward_base::Timestamp;
use durward_enforce::RouteTable;
use durward_model::Stored;
use durward_testkit::FakeClock;
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A host that answers each connection's requests with these bytes in turn, then closes it.
struct Answering {
    address: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Answering {
    async fn with(answers: &[&'static [u8]]) -> Self {
        let answers = answers.to_vec();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (accepted, read) = (Arc::clone(&connections), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::SeqCst);
                let (read, answers) = (Arc::clone(&read), answers.clone());
                tokio::spawn(async move {
                    for answer in answers {
                        read_head(&mut stream).await;
                        read.fetch_add(1, Ordering::SeqCst);
                        stream.write_all(answer).await.unwrap();
                    }
                });
            }
        });
        Self { address, connections, requests }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
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

/// An address where nobody is.
async fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

fn clock() -> FakeClock {
    FakeClock::at(Timestamp::from_seconds(1_800_000_000))
}

/// A state of a route to these hosts.
fn route(version: u64, hosts: &[&str], more: Value) -> Arc<CompiledRoute> {
    let hosts: Vec<_> = hosts.iter().map(|host| format!("http://{host}")).collect();
    let mut route = json!({"kind": "route", "name": "r", "path": "/", "service": "s", "access": "public", "upstream": hosts});
    route.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let stored =
        Stored { id: ResourceId::from_bytes([1; 16]), realm: "main".to_owned(), version, resource: serde_json::from_value(route).unwrap() };
    let (table, problems) = RouteTable::compile(&[Arc::new(stored)], &RouteTable::default());
    assert!(problems.is_empty(), "{problems:?}");
    Arc::clone(table.iter().next().unwrap())
}

fn upstream(hosts: &[&str], more: Value) -> Arc<Upstream> {
    Upstreams::new(UpstreamSettings::default(), clock().clock()).of(&route(1, hosts, more))
}

async fn exchange(upstream: &Arc<Upstream>, method: Method) -> Exchanged {
    let head = |host: &str| format!("{method} / HTTP/1.1\r\nhost: {host}\r\n\r\n").into_bytes();
    let payload = Payload::Whole(Bytes::new());
    upstream.exchange(Outgoing { head: &head, method: &method, payload, upgrade: None, is_repeated: false }).await
}

async fn call(upstream: &Arc<Upstream>, method: Method) -> Result<(u16, Vec<u8>), UpstreamError> {
    let response = exchange(upstream, method).await.answer?;
    let status = response.status().as_u16();
    Ok((status, response.into_body().collect().await?.to_bytes().to_vec()))
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const HEAD_ONLY: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
const ONCE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let host = Answering::with(&[OK, CHUNKED, OK]).await;
    let upstream = upstream(&[&host.address], json!({}));
    for _ in 0..3 {
        assert_eq!(call(&upstream, Method::GET).await.unwrap(), (200, b"ok".to_vec()));
    }
    assert_eq!(host.connections(), 1);
}

#[tokio::test]
async fn long_and_short_answers_follow_each_other_on_one_connection() {
    let long = |byte: u8| {
        let body = vec![byte; 20_000];
        let answer = [b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n", body.as_slice()].concat();
        (&*answer.leak(), body)
    };
    let ((first, a), (second, b), (third, c)) = (long(b'a'), long(b'b'), long(b'c'));
    let host = Answering::with(&[OK, first, second, OK, third]).await;
    let upstream = upstream(&[&host.address], json!({}));
    for body in [b"ok".to_vec(), a, b, b"ok".to_vec(), c] {
        assert_eq!(call(&upstream, Method::GET).await.unwrap(), (200, body));
    }
    assert_eq!(host.connections(), 1);
}

#[tokio::test]
async fn a_request_without_effect_is_repeated_when_its_kept_connection_was_closed() {
    let host = Answering::with(&[OK]).await;
    let upstream = upstream(&[&host.address], json!({}));
    for _ in 0..5 {
        assert_eq!(call(&upstream, Method::GET).await.unwrap().0, 200);
    }
    assert_eq!(host.connections(), 5);
}

#[tokio::test]
async fn what_an_upstream_says_unasked_reaches_nobody() {
    // HTTP-009: a second answer behind the first.
    let host =
        Answering::with(&[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", OK]).await;
    let upstream = upstream(&[&host.address], json!({}));
    for _ in 0..4 {
        assert_eq!(call(&upstream, Method::GET).await.unwrap(), (200, b"ok".to_vec()));
    }
    assert_eq!(host.connections(), 4);
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
        let host = Answering::with(&[answer]).await;
        let answered = call(&upstream(&[&host.address], json!({})), Method::GET).await;
        assert!(matches!(answered, Err(UpstreamError::Malformed(_))), "row {row}: {answered:?}");
        assert_eq!(host.requests(), 1, "row {row}: it is not asked again");
    }
}

#[tokio::test]
async fn interim_answers_are_passed_over_and_counted() {
    let host = Answering::with(&[b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"]).await;
    assert_eq!(call(&upstream(&[&host.address], json!({})), Method::GET).await.unwrap(), (204, Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let flooding = upstream(&[&listener.local_addr().unwrap().to_string()], json!({}));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(&b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)).await;
        std::future::pending::<()>().await;
    });
    assert!(matches!(call(&flooding, Method::GET).await, Err(UpstreamError::Malformed(_))));
}

#[tokio::test]
async fn an_upstream_that_is_not_there_or_does_not_answer_is_said_to_be_so() {
    let gone = upstream(&[&nobody().await], json!({}));
    assert_eq!(call(&gone, Method::GET).await.unwrap_err().reason(), "upstream_unreachable");
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = upstream(&[&silent.local_addr().unwrap().to_string()], json!({"timeouts": {"answer_ms": 20}}));
    assert_eq!(call(&silent, Method::POST).await.unwrap_err().reason(), "upstream_timeout");
}

#[tokio::test]
async fn what_one_host_does_not_answer_another_is_asked_once() {
    // GWDOS-008: only what has no effect, or has not left.
    let (down, closing, busy) = (nobody().await, Answering::with(&[b""]).await, Answering::with(&[BUSY; 1]).await);
    for (bad, method, works) in [
        (&down, Method::GET, true),
        (&down, Method::POST, true),
        (&closing.address, Method::GET, true),
        (&closing.address, Method::PUT, true),
        (&closing.address, Method::DELETE, true),
        (&closing.address, Method::HEAD, true),
        (&closing.address, Method::POST, false),
        (&closing.address, Method::PATCH, false),
        (&busy.address, Method::GET, true),
        (&busy.address, Method::POST, false),
    ] {
        let good = Answering::with(&[if method == Method::HEAD { HEAD_ONLY } else { ONCE }]).await;
        let upstream = upstream(&[bad, &good.address], json!({}));
        let (mut again, mut failed) = (0, 0);
        for _ in 0..8 {
            let exchanged = exchange(&upstream, method.clone()).await;
            if exchanged.answer.is_ok_and(|answer| answer.status() == 200) {
                assert_eq!(&*exchanged.host.unwrap(), good.address);
            } else {
                failed += 1;
            }
            again += exchanged.before.iter().filter(|(host, _)| &**host == bad.as_str()).count();
        }
        assert_eq!((failed == 0, again > 0), (works, works), "{method} {bad}: {failed} failed, {again} sent again");
    }
}

#[tokio::test]
async fn a_request_is_sent_twice_at_most_and_an_answer_is_asked_for_elsewhere_alone() {
    let (one, other) = (Answering::with(&[b""]).await, Answering::with(&[b""]).await);
    let both = upstream(&[&one.address, &other.address], json!({}));
    assert_eq!(call(&both, Method::GET).await.unwrap_err().reason(), "upstream_closed");
    assert_eq!((one.requests(), other.requests()), (1, 1));
    let alone = upstream(&[&one.address], json!({}));
    assert!(call(&alone, Method::GET).await.is_err());
    assert_eq!(one.requests(), 3);
    let never = upstream(&[&one.address, &other.address], json!({"retries": false}));
    assert!(call(&never, Method::GET).await.is_err());
    assert_eq!(one.requests() + other.requests(), 5);
    let busy = Answering::with(&[BUSY]).await;
    assert_eq!(call(&upstream(&[&busy.address], json!({})), Method::GET).await.unwrap().0, 503);
    assert_eq!(busy.requests(), 1);
}

#[tokio::test]
async fn an_upstream_that_fails_altogether_is_sent_a_fifth_more_and_no_flood() {
    // FLT-030
    let (one, other) = (Answering::with(&[BUSY]).await, Answering::with(&[BUSY]).await);
    let upstream = upstream(&[&one.address, &other.address], json!({}));
    for _ in 0..100 {
        assert_eq!(call(&upstream, Method::GET).await.unwrap().0, 503);
    }
    let sent = one.requests() + other.requests();
    assert!((110..=130).contains(&sent), "{sent}");
}

#[tokio::test]
async fn a_host_that_fails_five_times_in_a_row_is_left_alone_for_thirty_seconds() {
    let (bad, good) = (Answering::with(&[BUSY]).await, Answering::with(&[ONCE]).await);
    let clock = clock();
    let upstreams = Upstreams::new(UpstreamSettings::default(), clock.clock());
    let upstream = upstreams.of(&route(1, &[&bad.address, &good.address], json!({"retries": false})));
    let ask = async || {
        for _ in 0..40 {
            call(&upstream, Method::GET).await.unwrap();
        }
        bad.requests()
    };
    assert_eq!(ask().await, 5);
    let status = |host: &str| upstreams.statuses().into_iter().find(|status| &*status.host == host).unwrap();
    assert_eq!((status(&bad.address).is_ejected, status(&bad.address).failures), (true, 5));
    assert_eq!((status(&good.address).is_ejected, status(&good.address).failures), (false, 0));
    clock.advance(Duration::from_secs(29));
    assert_eq!(ask().await, 5);
    clock.advance(Duration::from_secs(1));
    assert_eq!(ask().await, 10);
}

#[tokio::test]
async fn at_most_half_the_hosts_are_left_alone() {
    let bad = [Answering::with(&[BUSY]).await, Answering::with(&[BUSY]).await, Answering::with(&[BUSY]).await];
    let hosts: Vec<_> = bad.iter().map(|host| host.address.as_str()).collect();
    let upstreams = Upstreams::new(UpstreamSettings::default(), clock().clock());
    let upstream = upstreams.of(&route(1, &hosts, json!({})));
    for _ in 0..60 {
        assert_eq!(call(&upstream, Method::POST).await.unwrap().0, 503);
    }
    assert_eq!(upstreams.statuses().iter().filter(|status| status.is_ejected).count(), 1);
}

#[tokio::test]
async fn a_route_has_no_more_requests_under_way_than_it_may() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let upstream = upstream(&[&address], json!({"max_in_flight": 2}));
    let calls: Vec<_> = (0..2)
        .map(|_| {
            let upstream = Arc::clone(&upstream);
            tokio::spawn(async move { call(&upstream, Method::GET).await })
        })
        .collect();
    let mut streams = Vec::new();
    for _ in 0..2 {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        streams.push(stream);
    }
    assert_eq!(call(&upstream, Method::GET).await.unwrap_err().reason(), "upstream_overloaded");
    // An answer that is still coming is under way.
    streams[0].write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no").await.unwrap();
    assert_eq!(call(&upstream, Method::GET).await.unwrap_err().reason(), "upstream_overloaded");
    for mut stream in streams {
        let _ = stream.write_all(OK).await;
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let accepted = tokio::spawn(async move { (listener.accept().await.unwrap().0, listener) });
    let again = tokio::spawn(async move { call(&upstream, Method::GET).await });
    let (mut stream, _listener) = accepted.await.unwrap();
    read_head(&mut stream).await;
    stream.write_all(OK).await.unwrap();
    assert_eq!(again.await.unwrap().unwrap().0, 200);
}

#[tokio::test]
async fn hosts_that_a_route_goes_on_naming_keep_their_connections() {
    let (one, other) = (Answering::with(&[OK; 9]).await, Answering::with(&[OK; 9]).await);
    let upstreams = Upstreams::new(UpstreamSettings::default(), clock().clock());
    let first = upstreams.of(&route(1, &[&one.address], json!({})));
    call(&first, Method::GET).await.unwrap();
    let same = upstreams.of(&route(2, &[&one.address], json!({"methods": ["GET"]})));
    assert!(Arc::ptr_eq(&first, &same), "what it says of its upstream is the same");
    let slower = upstreams.of(&route(3, &[&one.address], json!({"timeouts": {"answer_ms": 20_000}})));
    assert!(!Arc::ptr_eq(&first, &slower));
    call(&slower, Method::GET).await.unwrap();
    assert_eq!(one.connections(), 1);
    let moved = upstreams.of(&route(4, &[&other.address], json!({})));
    call(&moved, Method::GET).await.unwrap();
    call(&first, Method::GET).await.unwrap();
    assert_eq!((one.connections(), other.connections()), (1, 1), "what is under way goes on");
    drop((first, same, slower));
    assert_eq!(upstreams.statuses().len(), 1, "nobody has the first one any more");
}

#[tokio::test]
async fn a_host_that_says_it_is_not_well_gets_no_requests_until_it_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ill = listener.local_addr().unwrap().to_string();
    let is_well = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let says = Arc::clone(&is_well);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_head(&mut stream).await;
            let _ = stream.write_all(if says.load(Ordering::SeqCst) { ONCE } else { BUSY }).await;
        }
    });
    let well = Answering::with(&[ONCE]).await;
    let upstreams = Upstreams::new(UpstreamSettings::default(), clock().clock());
    let check = json!({"health_check": {"path": "/healthz", "interval_seconds": 1}, "retries": false});
    let upstream = upstreams.of(&route(1, &[&ill, &well.address], check));
    let until = async |is_ill| {
        while upstreams.statuses().into_iter().find(|status| *status.host == *ill).unwrap().is_ill != is_ill {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), until(true)).await.unwrap();
    for _ in 0..20 {
        assert_eq!(call(&upstream, Method::GET).await.unwrap().0, 200);
    }
    is_well.store(true, Ordering::SeqCst);
    tokio::time::timeout(Duration::from_secs(60), until(false)).await.unwrap();
}
