//! Callers that wrk cannot be: with the PROXY protocol, with a certificate, waiting, or with a new connection each time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

use super::super::load::Load;
use super::super::process::Process;

/// How many at a time.
const CALLERS: usize = 64;
/// What a proxy in front says before anything else.
const PROXY: &[u8] = b"PROXY TCP4 127.0.0.1 127.0.0.1 40000 80\r\n";

/// What all of them do.
#[derive(Clone)]
pub struct Caller {
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    proxied: bool,
    request: String,
}

/// A kept-alive connection.
pub struct Connection {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// What one of them does until it is over; how often it was done.
type Work = Box<dyn Future<Output = anyhow::Result<u64>> + Send>;

impl Caller {
    /// `GET path` at a port, with this header.
    pub fn new(port: u16, path: &str, header: &str) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost:{port}\r\n{header}\r\n\r\n");
        Self { port, tls: None, proxied: false, request }
    }

    /// The same over TLS.
    #[must_use]
    pub fn over_tls(self, tls: Arc<ClientConfig>) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// The same behind a proxy that speaks the PROXY protocol.
    #[must_use]
    pub fn behind_a_front(self) -> Self {
        Self { proxied: true, ..self }
    }

    /// A new connection, its handshake done.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.set_nodelay(true)?;
        if self.proxied {
            stream.write_all(PROXY).await?;
        }
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(stream),
            Some(tls) => Box::new(TlsConnector::from(Arc::clone(tls)).connect(ServerName::try_from("localhost")?, stream).await?),
        };
        Ok(Connection { stream, buffer: Vec::new() })
    }

    /// Loads `process` for some seconds, by kept-alive connections.
    pub fn load(&self, process: &Process, seconds: u32) -> anyhow::Result<Load> {
        self.load_while(process, || {
            std::thread::sleep(Duration::from_secs(seconds.into()));
            Ok(())
        })
    }

    /// Loads `process` while something else is done.
    pub fn load_while(&self, process: &Process, meanwhile: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Load> {
        loaded(process, meanwhile, |over| {
            let caller = self.clone();
            Box::new(async move {
                let mut connection = caller.connect().await?;
                let mut answered = 0;
                while !over.load(Ordering::Relaxed) {
                    connection.ask(&caller).await?;
                    answered += 1;
                }
                Ok(answered)
            })
        })
    }

    /// Loads `process` for some seconds by new connections, each ended as soon as it stands.
    pub fn connect_again_and_again(&self, process: &Process, seconds: u32) -> anyhow::Result<Load> {
        let meanwhile = || {
            std::thread::sleep(Duration::from_secs(seconds.into()));
            Ok(())
        };
        loaded(process, meanwhile, |over| {
            let caller = self.clone();
            Box::new(async move {
                let mut made = 0;
                while !over.load(Ordering::Relaxed) {
                    let mut connection = caller.connect().await?;
                    connection.stream.shutdown().await?;
                    // The other side ends it, too, once its own handshake is through.
                    anyhow::ensure!(connection.more().await.is_err(), "an answer to nothing");
                    made += 1;
                }
                Ok(made)
            })
        })
    }
}

impl Connection {
    /// One request, whose answer must be 200.
    pub async fn ask(&mut self, caller: &Caller) -> anyhow::Result<()> {
        self.stream.write_all(caller.request.as_bytes()).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let text = String::from_utf8_lossy(self.buffer.get(..head).unwrap_or_default()).to_ascii_lowercase();
        anyhow::ensure!(text.starts_with("http/1.1 200"), "the answer is {}", text.lines().next().unwrap_or_default());
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")).context("an answer without a length")?;
        let end = head + length.trim().parse::<usize>()?;
        while self.buffer.len() < end {
            self.more().await?;
        }
        Ok(())
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the connection was closed");
        Ok(())
    }
}

/// What callers run on: one thread.
pub fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Lets all of them work while something else is done. Each says how often it was answered.
fn loaded(
    process: &Process,
    meanwhile: impl FnOnce() -> anyhow::Result<()>,
    work: impl Fn(Arc<AtomicBool>) -> Work + Sync,
) -> anyhow::Result<Load> {
    let over = Arc::new(AtomicBool::new(false));
    let before = process.cpu_seconds();
    let requests = std::thread::scope(|scope| {
        let callers = scope.spawn(|| {
            runtime()?.block_on(async {
                let callers: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(Box::into_pin(work(Arc::clone(&over))))).collect();
                let mut answered = 0;
                for caller in callers {
                    answered += caller.await??;
                }
                anyhow::Ok(answered)
            })
        });
        let done = meanwhile();
        over.store(true, Ordering::Relaxed);
        let answered = callers.join().map_err(|_| anyhow::anyhow!("the callers broke off"))?;
        done.and(answered)
    })? as f64;
    let used = process.cpu_seconds() - before;
    Ok(Load { requests, per_cpu_second: requests / used.max(0.01), refused: 0, p99: None })
}
