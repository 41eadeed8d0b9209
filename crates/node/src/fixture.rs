//! What this crate's tests share: a clock that goes on by itself, tokens, an event of the usual size, and an authority
//! that does as a test says

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use durward_audit::NoteKey;
use durward_base::{Clock, Duration, EventId, Rng, Secret, SecretBytes, Time, Timestamp};
use durward_feed::Frame;
use durward_model::event::{Request, StepName};
use durward_model::{Assurance, Caller, Chain, CredentialFacts, CredentialKind, Decided, Event, EventKind, PrincipalKind};
use durward_testkit::{FakeClock, seeded};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::{Journal, JournalSettings, TokenError, TokenSource};

struct Ticking(AtomicI64);

impl Time for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Every look at it is a millisecond later.
pub(crate) fn clock() -> Clock {
    clock_from(1_800_000_000_000)
}

/// The same, beginning so many milliseconds after 1970.
pub(crate) fn clock_from(millis: i64) -> Clock {
    Clock::new(Ticking(AtomicI64::new(millis)))
}

/// A clock that stands.
pub(crate) fn still_clock() -> Clock {
    FakeClock::at(Timestamp::from_millis(1_800_000_000_000)).clock()
}

/// Randomness that differs from draw to draw, not from run to run.
pub(crate) fn rng() -> Rng {
    seeded(1)
}

/// A gateway's allow, with everything known about it.
pub(crate) fn typical_event(clock: &Clock, rng: &Rng) -> Event {
    let now = clock.now();
    let mut event = Event::new(EventId::new(now, rng), now, "gateway/main".into(), EventKind::Forwarded);
    event.realm = Some("main".into());
    event.caller = Some(Arc::new(Caller {
        kind: PrincipalKind::User,
        id: "nF3qZ0rS1mC4b9xQe7tYuA".to_owned(),
        acts_for: None,
        roles: vec!["customer".to_owned()],
        scopes: vec!["openid".to_owned(), "orders".to_owned()],
        assurance: Assurance { acr: Some("pwd".to_owned()), amr: vec!["pwd".to_owned()], auth_time: Some(now) },
        credential: Some(CredentialFacts {
            kind: CredentialKind::Jwt,
            id: "AZnF3qZ0rS1mC4b9xQe7tYuA".to_owned(),
            issuer: "https://localhost:8444/realms/main".to_owned(),
            family: Some("AZnF3qZ0rS1mC4b9xQe7tYuB".to_owned()),
            session: Some("AZnF3qZ0rS1mC4b9xQe7tYuC".to_owned()),
            client: Some("web".to_owned()),
            key: Some("kQ9xQe7tYuAnF3qZ0rS1mC".to_owned()),
            bound_key: None,
            issued: now,
            expires: now,
        }),
    }));
    event.chain = Chain { transaction: Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()), ..Chain::default() };
    event.request = Some(Request {
        method: "POST".to_owned(),
        path: "/orders".to_owned(),
        route: Some("orders".into()),
        address: Some("192.0.2.7".to_owned()),
        status: 201,
        upstream: Some("http://127.0.0.1:9001".into()),
        audience: Some("payments".into()),
    });
    event.decided = Some(Arc::new(Decided {
        by: "policy".to_owned(),
        rule: "customers-order".to_owned(),
        action: Some("orders:create".to_owned()),
        resource: Some("Orders::\"all\"".to_owned()),
        read: vec![("principal.roles".to_owned(), "customer".to_owned())],
        version: 42,
    }));
    event.issued = Some("AZnF3qZ0rS1mC4b9xQe7tYuD".to_owned());
    event.steps = vec![(StepName::Route, 1), (StepName::Principal, 2), (StepName::Decide, 1), (StepName::Upstream, 900)];
    event
}

/// A journal in a directory of its own, or the one that is there.
pub(crate) fn journal(directory: &std::path::Path, clock: &Clock, rng: &Rng) -> Journal {
    let file = directory.join("key");
    if !file.exists() {
        std::fs::create_dir_all(directory).unwrap();
        std::fs::write(&file, NoteKey::generate("test").unwrap().1.expose()).unwrap();
    }
    let key = NoteKey::from_pkcs8("test", &SecretBytes::new(std::fs::read(&file).unwrap())).unwrap();
    let settings = JournalSettings { segment_bytes: 4096, ..JournalSettings::new(directory, "test".into(), key) };
    Journal::open(settings, clock.clone(), rng.clone()).unwrap()
}

/// Hands out `token-1`, and the next number whenever one was refused.
#[derive(Default)]
pub(crate) struct Tokens(AtomicUsize);

impl TokenSource for Tokens {
    fn token(&self) -> Pin<Box<dyn Future<Output = Result<Secret, TokenError>> + Send + '_>> {
        let number = self.0.load(Ordering::SeqCst) + 1;
        Box::pin(std::future::ready(Ok(Secret::new(format!("token-{number}")))))
    }

    fn refused(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// An authority that answers as a test says, on a free port of the loopback.
pub(crate) struct Authority(TcpListener);

/// One request that came to it.
pub(crate) struct Exchange {
    /// Request line and headers.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: Vec<u8>,
    stream: TcpStream,
}

impl Authority {
    pub(crate) async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn url(&self) -> Url {
        Url::parse(&format!("http://{}", self.0.local_addr().unwrap())).unwrap()
    }

    /// The next request on a new connection.
    pub(crate) async fn next(&self) -> Exchange {
        let accepted = tokio::time::timeout(Duration::from_secs(10), self.0.accept()).await.expect("a request comes in time");
        Exchange::read(accepted.unwrap().0).await
    }
}

impl Exchange {
    async fn read(mut stream: TcpStream) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        Self { head, body, stream }
    }

    /// Answers with an empty body and closes.
    pub(crate) async fn answer(mut self, status: &str) {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        self.stream.write_all(head.as_bytes()).await.unwrap();
    }

    /// Begins a stream that ends when it is dropped.
    pub(crate) async fn stream(mut self) -> Feed {
        self.stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        Feed(self.stream)
    }
}

/// A stream of frames to one node.
pub(crate) struct Feed(TcpStream);

impl Feed {
    pub(crate) async fn send(&mut self, frame: Frame) {
        self.send_bytes(&frame.encode().unwrap()).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        self.0.write_all(&chunk).await.unwrap();
    }
}
