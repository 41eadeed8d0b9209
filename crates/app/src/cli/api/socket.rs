//! HTTP over the authority's Unix socket.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// Sends one request and waits for the answer's head.
pub(super) async fn call(socket: &Path, mut request: Request<Bytes>) -> anyhow::Result<Response<Incoming>> {
    let stream = UnixStream::connect(socket).await.map_err(|error| unreachable(socket, &error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    request.headers_mut().insert(header::HOST, HeaderValue::from_static("localhost"));
    sender.send_request(request.map(Full::new)).await.context("the authority broke off")
}

fn unreachable(socket: &Path, error: &std::io::Error) -> anyhow::Error {
    let advice = match error.kind() {
        ErrorKind::NotFound => "is `durward serve` running, and is --data its data directory?",
        ErrorKind::ConnectionRefused => "the authority that made it is gone: start `durward serve`",
        ErrorKind::PermissionDenied => {
            "only the user that the authority runs as may use it; from elsewhere use --server and `durward login`"
        }
        _ => "use --data, --socket or --server to say where the authority is",
    };
    anyhow!("{}: {error}: {advice}", socket.display())
}
