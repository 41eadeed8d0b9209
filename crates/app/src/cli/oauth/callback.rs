//! RFC 8252 section 7.3: a listener on loopback that takes one redirect.

use std::net::Ipv4Addr;

use anyhow::{Context as _, bail};
use durward_base::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a connection may take to say what it wants.
const QUICK: Duration = Duration::from_secs(5);
/// The largest request head.
const LARGEST_HEAD: usize = 16 * 1024;

/// The listener.
pub(super) struct Callback {
    listener: TcpListener,
    port: u16,
}

impl Callback {
    pub(super) async fn listen() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port on loopback is free")?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    pub(super) fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}/callback", self.port)
    }

    /// The address with which the browser comes back. Whatever else a browser asks for (an icon) is answered with 404.
    pub(super) async fn wait(&self) -> anyhow::Result<Url> {
        let redirected = async {
            loop {
                let (stream, _) = self.listener.accept().await?;
                if let Ok(Ok(Some(target))) = tokio::time::timeout(QUICK, self.answer(stream)).await {
                    return Ok(target);
                }
            }
        };
        match tokio::time::timeout(PATIENCE, redirected).await {
            Ok(target) => target,
            Err(_) => bail!("nobody logged in within {} minutes", PATIENCE.as_secs() / 60),
        }
    }

    async fn answer(&self, mut stream: TcpStream) -> anyhow::Result<Option<Url>> {
        let mut head = Vec::new();
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            if head.len() > LARGEST_HEAD || stream.read_buf(&mut head).await? == 0 {
                return Ok(None);
            }
        }
        let text = String::from_utf8_lossy(&head);
        let target = text.strip_prefix("GET ").and_then(|rest| rest.split(' ').next()).filter(|target| target.starts_with("/callback?"));
        let (status, body) = match target {
            Some(_) => ("200 OK", "You are logged in. This page can be closed."),
            None => ("404 Not Found", "There is nothing here."),
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{body}"
        );
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        target.map(|target| Url::parse(&format!("http://127.0.0.1:{}{target}", self.port))).transpose().map_err(Into::into)
    }
}
