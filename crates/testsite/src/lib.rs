//! Somebody else's servers on loopback, for tests: a website that answers as it is told and remembers what it was asked, and a PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test's server that cannot start is a failed test")]

mod postgres;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use durward_base::{Duration, Timestamp};
use durward_net::ServerIdentity;
use durward_pki::{RootAuthority, ServerName};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

pub use postgres::Postgres;

/// Answers each request head on a connection with 200 and `ok`, byte by byte and with no codec in between, until the client goes.
pub async fn say_ok(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    }
}

/// The server. It ends with the test's runtime.
#[derive(Debug)]
pub struct Site {
    port: u16,
    roots: String,
    answers: Arc<Mutex<HashMap<String, Response<Bytes>>>>,
    seen: watch::Receiver<Vec<Request<Bytes>>>,
}

impl Site {
    /// Opens a site with a certificate for `localhost` and 127.0.0.1 under a root of its own. Until told otherwise it answers 404.
    pub async fn open() -> Self {
        let now = Timestamp::from_millis(i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (acceptor, roots) = identity(now, port);
        let answers = Arc::<Mutex<HashMap<String, Response<Bytes>>>>::default();
        let (requests, seen) = watch::channel(Vec::new());
        let (requests, told) = (Arc::new(requests), Arc::clone(&answers));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, requests, told) = (acceptor.clone(), Arc::clone(&requests), Arc::clone(&told));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(|request| answer(request, Arc::clone(&requests), Arc::clone(&told)));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { port, roots, answers, seen }
    }

    /// The URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// The root that vouches for it, in PEM.
    pub fn roots(&self) -> &str {
        &self.roots
    }

    /// From now on, what is answered at a path.
    pub fn answers(&self, path: &str, answer: Response<impl Into<Bytes>>) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer.map(Into::into));
    }

    /// What it was asked so far.
    pub fn seen(&self) -> Vec<Request<Bytes>> {
        self.seen.borrow().clone()
    }

    /// Waits until it was asked `count` times, for ten seconds at most, and says what.
    pub async fn asked(&self, count: usize) -> Vec<Request<Bytes>> {
        let mut seen = self.seen.clone();
        let enough = tokio::time::timeout(std::time::Duration::from_secs(10), seen.wait_for(|requests| requests.len() >= count)).await;
        enough.unwrap().unwrap().clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    requests: Arc<watch::Sender<Vec<Request<Bytes>>>>,
    told: Arc<Mutex<HashMap<String, Response<Bytes>>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let path = parts.uri.path().to_owned();
    let answer = told.lock().unwrap().get(&path).cloned();
    requests.send_modify(|requests| requests.push(Request::from_parts(parts, body)));
    let unknown = || Response::builder().status(404).body(Bytes::new()).unwrap();
    Ok(answer.unwrap_or_else(unknown).map(Full::new))
}

/// TLS under a root of its own.
fn identity(now: Timestamp, port: u16) -> (TlsAcceptor, String) {
    let rng = durward_testkit::seeded(u64::from(port));
    let root = RootAuthority::create("somebody else", now, &rng).unwrap();
    let intermediate = root.issue_intermediate("somebody else", now, &rng).unwrap();
    let names = [ServerName::try_from("localhost").unwrap(), ServerName::try_from("127.0.0.1").unwrap()];
    let leaf = intermediate.issue_server(&names, now, Duration::from_secs(3600), &rng).unwrap();
    let identity = ServerIdentity::new(leaf.chain_der, leaf.key_pkcs8.expose()).unwrap();
    let mut config = Arc::unwrap_or_clone(identity.server_config().unwrap());
    config.alpn_protocols.clear();
    (TlsAcceptor::from(Arc::new(config)), root.certificate().to_pem())
}
