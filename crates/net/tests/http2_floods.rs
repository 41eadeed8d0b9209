//! What costs a client little and a server much in HTTP/2: each flood ends, or stands still for want of room, while others are answered.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use durward_base::{Duration, Timestamp};
use durward_model::Event;
use durward_net::{
    Answer, Bound, HttpMetrics, Incoming, Limits, Problem, Record, RecordError, Refused, Shutdown, Unserved, Windows, serve,
};
use durward_testkit::{FakeClock, seeded};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// What a flood may get through before it ends or stands still: what kernels hold between two programs, and some more.
const MOST: usize = 64 << 20;
/// Nothing on loopback takes as long unless the other end has stopped reading.
const STUCK: Duration = Duration::from_secs(60);

/// Answers what it is asked: at `/wait` never, at `/read` when it has all of the body.
#[derive(Clone, Default)]
struct Handler(Arc<AtomicUsize>);

impl Answer for Handler {
    type Body = Body;

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        self.0.fetch_add(1, Ordering::Relaxed);
        match request.uri().path() {
            "/wait" => std::future::pending().await,
            "/read" => drop(request.into_body().collect().await),
            _ => {}
        }
        Response::new(Body::from("answer"))
    }

    async fn refuse(&self, refused: Refused) -> Response<Body> {
        Problem::from(refused).render(None)
    }
}

#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl Record for Kept {
    fn record(&self, event: Event) -> Pin<Box<dyn Future<Output = Result<(), RecordError>> + Send + '_>> {
        self.0.lock().unwrap().extend(event.reason);
        Box::pin(std::future::ready(Ok(())))
    }
}

struct Server {
    address: SocketAddr,
    handler: Handler,
    refused: Arc<Kept>,
    shutdown: Shutdown,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let bound = Bound::tcp("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = bound.address().unwrap();
        let (handler, refused, shutdown) = (Handler::default(), Arc::new(Kept::default()), Shutdown::new());
        let unserved = Unserved {
            listener: "test",
            node: "test".into(),
            record: Arc::clone(&refused) as _,
            metrics: HttpMetrics::register(&mut prometheus_client::registry::Registry::default()),
            clock: FakeClock::at(Timestamp::from_seconds(1_800_000_000)).clock(),
            rng: seeded(1),
            windows: Windows::default(),
        };
        let service = handler.clone();
        tokio::spawn(serve(bound, None, limits, unserved, shutdown.clone(), move |_| service.clone()));
        Self { address, handler, refused, shutdown }
    }

    /// A connection that has said what it must.
    async fn connect(&self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let (read, mut write) = TcpStream::connect(self.address).await.unwrap().into_split();
        write.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        write.write_all(&frame(SETTINGS, 0, 0, b"")).await.unwrap();
        (read, write)
    }

    /// Whether somebody else is answered.
    async fn answers(&self) -> bool {
        let answer = async {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer.starts_with("HTTP/1.1 200")
        };
        timeout(Duration::from_secs(20), answer).await.unwrap()
    }

    /// Sends the same bytes over and over, reading what comes back or not, until they are taken no more.
    async fn flood(&self, before: &[u8], again: impl Fn(u32) -> Vec<u8>, reads: bool) -> usize {
        let (mut read, mut write) = self.connect().await;
        if reads {
            tokio::spawn(async move { tokio::io::copy(&mut read, &mut tokio::io::sink()).await });
        } else {
            // Kept, so that nothing is lost with it.
            Box::leak(Box::new(read));
        }
        write.write_all(before).await.unwrap();
        let mut sent = 0;
        for round in 0.. {
            let piece: Vec<u8> = (0..64).flat_map(|index| again(round * 64 + index)).collect();
            match timeout(STUCK, write.write_all(&piece)).await {
                Ok(Ok(())) => sent += piece.len(),
                Ok(Err(_)) | Err(_) => break,
            }
            assert!(sent < MOST, "{sent} bytes were taken and the flood goes on");
        }
        sent
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// HPACK: the method by its number, `http`, the path and `x`.
fn head(method: u8, path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    [&[method, 0x86, 0x04, length][..], path.as_bytes(), &[0x01, 1, b'x']].concat()
}

const GET: u8 = 0x82;
const POST: u8 = 0x83;

/// What is sent over and over, by its number.
type Again = Box<dyn Fn(u32) -> Vec<u8> + Send + Sync>;

/// GWDOS-002: each ends by the other side's doing, and nobody else notices.
#[tokio::test(flavor = "multi_thread")]
async fn floods_of_frames_end_and_others_are_answered() {
    let server = &Server::start(Limits::default()).await;
    let opened = frame(HEADERS, END_HEADERS, 1, &head(POST, "/wait"));
    let begun = frame(HEADERS, 0, 1, &head(GET, "/"));
    // A field of 4 KB once, then again by its number.
    let large = [&[0x40, 1, b'a', 0x7f, 0xe1, 0x1e][..], &[b'b'; 4000]].concat();
    let bomb = |_| frame(CONTINUATION, 0, 1, &[0xbe; 16_000]);
    let floods: [(&str, Vec<u8>, Again, bool); 7] = [
        ("empty CONTINUATION", begun.clone(), Box::new(|_| frame(CONTINUATION, 0, 1, b"")), true),
        ("CONTINUATION", begun.clone(), Box::new(|_| frame(CONTINUATION, 0, 1, &[&[0, 1, b'c', 100][..], &[b'd'; 100]].concat())), true),
        ("HPACK", [begun, frame(CONTINUATION, 0, 1, &large)].concat(), Box::new(bomb), true),
        ("empty DATA", opened, Box::new(|_| frame(DATA, 0, 1, b"")), true),
        ("PING", Vec::new(), Box::new(|_| frame(PING, 0, 0, b"01234567")), false),
        ("SETTINGS", Vec::new(), Box::new(|_| frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])), false),
        ("resets", Vec::new(), Box::new(|index| reset(index, "/wait")), true),
    ];
    for (name, before, again, reads) in &floods {
        let sent = server.flood(before, again, *reads).await;
        println!("{name}: {sent} bytes");
        assert!(server.answers().await, "{name}");
    }
}

/// A call that is taken back at once.
fn reset(index: u32, path: &str) -> Vec<u8> {
    let stream = index * 2 + 1;
    [frame(HEADERS, END_HEADERS | END_STREAM, stream, &head(GET, path)), frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
}

/// GWDOS-002: CVE-2023-44487. A server that takes up each call before it hears that it is taken back does the work of all of them.
#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_taken_back_after_they_were_taken_up_are_counted() {
    let server = Server::start(Limits::default()).await;
    let (mut read, mut write) = server.connect().await;
    let reading = tokio::spawn(async move { tokio::io::copy(&mut read, &mut tokio::io::sink()).await });
    let is_cut = async {
        for index in 0_usize.. {
            let stream = u32::try_from(index).unwrap() * 2 + 1;
            let opened = frame(HEADERS, END_HEADERS | END_STREAM, stream, &head(GET, "/wait"));
            let is_sent = write.write_all(&opened).await.is_ok();
            // Not before it is under way.
            while server.handler.0.load(Ordering::Relaxed) <= index {
                if reading.is_finished() {
                    return index;
                }
                tokio::task::yield_now().await;
            }
            if !is_sent || write.write_all(&frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())).await.is_err() {
                return index;
            }
        }
        usize::MAX
    };
    let calls = timeout(Duration::from_secs(60), is_cut).await.unwrap();
    assert!((100..2_000).contains(&calls), "cut after {calls}");
    assert!(server.answers().await);
}

/// The frames that come, by stream and kind, up to one of this kind, flag and stream.
async fn until(read: &mut OwnedReadHalf, kind: u8, flag: u8, stream: u32) -> Vec<(u32, u8)> {
    let mut frames = Vec::new();
    let reading = async {
        loop {
            let mut head = [0; 9];
            read.read_exact(&mut head).await.unwrap();
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            read.read_exact(&mut payload).await.unwrap();
            let of = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            frames.push((of, head[3]));
            if (of, head[3], head[4] & flag) == (stream, kind, flag) {
                return;
            }
        }
    };
    timeout(Duration::from_secs(20), reading).await.unwrap();
    frames
}

/// RFC 9113 section 8.1
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_before_the_body_resets_nobody_who_ends_it_soon() {
    let server = Server::start(Limits::default()).await;
    let (mut read, mut write) = server.connect().await;
    write.write_all(&frame(HEADERS, END_HEADERS, 1, &head(POST, "/"))).await.unwrap();
    until(&mut read, DATA, END_STREAM, 1).await;
    write.write_all(&frame(DATA, END_STREAM, 1, b"what nobody reads")).await.unwrap();
    write.write_all(&frame(HEADERS, END_HEADERS, 3, &head(POST, "/"))).await.unwrap();
    let frames = until(&mut read, RST_STREAM, 0, 3).await;
    assert!(!frames.contains(&(1, RST_STREAM)), "{frames:?}");
    // Who does not end it is not waited for.
    assert!(frames.contains(&(3, DATA)), "{frames:?}");
}

/// GWDOS-004
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_nothing_is_let_go() {
    let short = Duration::from_millis(200);
    let server = Server::start(Limits { head: short, idle: short, ..Limits::default() }).await;
    let begun = frame(HEADERS, 0, 1, &head(GET, "/"));
    let answered = frame(HEADERS, END_HEADERS | END_STREAM, 1, &head(GET, "/"));
    for (name, bytes) in [("nothing", Vec::new()), ("half a head", begun), ("one call", answered)] {
        let (mut read, mut write) = server.connect().await;
        write.write_all(&bytes).await.unwrap();
        let mut rest = tokio::io::sink();
        let end = timeout(Duration::from_secs(20), tokio::io::copy(&mut read, &mut rest)).await;
        assert!(end.is_ok(), "{name}");
    }
    // The start of the protocol, and no more.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2").await.unwrap();
    let mut rest = Vec::new();
    assert!(timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await.is_ok());
    assert_eq!(server.refused.0.lock().unwrap().clone(), ["http.too_slow"], "one event tells of them: the rest of the minute is counted");
}
