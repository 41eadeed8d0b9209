//! RFC 9110 section 7.8, RFC 6455 section 10.2: connections that become something else, WebSocket above all. The request is authenticated and
//! decided like any other; a tunnel is made only of the upstream's own 101, and lasts no longer than the credential that opened it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use durward_net::Problem;
use durward_net::http1::{Duplex, tokens};
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode, Version};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::lifetime::Lifetime;
use crate::upstream::Switched;

/// Bytes passed on at a time.
const PIECE: usize = 8 * 1024;

/// The protocol that a request asks to go on with; `None` when it asks for none, or only offers HTTP/2 without TLS, which we "MAY ignore".
pub(crate) fn asked(parts: &Parts) -> Result<Option<&str>, Problem> {
    let mut protocols = tokens(&parts.headers, &header::UPGRADE).filter(|protocol| !protocol.eq_ignore_ascii_case("h2c"));
    let Some(protocol) = protocols.next() else { return Ok(None) };
    let is_token = protocol.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/'));
    let is_http = protocol.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("http") || start.eq_ignore_ascii_case("tls/"));
    if protocols.next().is_some() || !is_token || is_http || parts.method != Method::GET || parts.version != Version::HTTP_11 {
        return Err(refuse(StatusCode::NOT_IMPLEMENTED, "upgrade", "Only a GET request over HTTP/1.1 may upgrade, to one other protocol."));
    }
    // "A sender of Upgrade MUST also send an Upgrade connection option in the Connection header field".
    if !tokens(&parts.headers, &header::CONNECTION).any(|option| option.eq_ignore_ascii_case("upgrade")) {
        return Err(refuse(StatusCode::BAD_REQUEST, "upgrade", "Upgrade is asked for without the connection option of that name."));
    }
    Ok(Some(protocol))
}

/// Pages of other origins open no tunnel with what a browser sends by itself; one that came over plain HTTP, anybody on its way may have written.
pub(crate) fn must_be_of_this_origin(parts: &Parts, authority: &str) -> Result<(), Problem> {
    let mut origins = parts.headers.get_all(header::ORIGIN).iter();
    let is_own = |origin: &HeaderValue| {
        let host = origin.to_str().ok().and_then(|origin| origin.strip_prefix("https://"));
        host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
    };
    match (origins.next(), origins.next()) {
        (None, _) => Ok(()),
        (Some(origin), None) if is_own(origin) => Ok(()),
        _ => Err(refuse(StatusCode::FORBIDDEN, "foreign_origin", "Pages of another origin may not open this.")),
    }
}

/// Passes bytes on between the two ends, until both are done, nothing has passed for as long as the route allows, or the credential ends.
pub(crate) async fn tunnel(client: Box<dyn Duplex>, upstream: Switched, lifetime: Lifetime) {
    let (from_client, to_client) = tokio::io::split(client);
    let Switched { read, write, ahead, ticket: under_way } = upstream;
    let (idle, passed) = (under_way.idle(), AtomicU64::new(0));
    let both = async {
        let down = pump(io::Cursor::new(ahead).chain(read), to_client, &passed);
        tokio::try_join!(pump(from_client, write, &passed), down)
    };
    let silence = async {
        let mut before = u64::MAX;
        while before != passed.load(Ordering::Relaxed) {
            before = passed.load(Ordering::Relaxed);
            tokio::time::sleep(idle).await;
        }
    };
    tokio::select! {
        _ = both => {}
        () = silence => {}
        () = lifetime.ended() => {}
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, passed: &AtomicU64) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(piece.get(..length).unwrap_or_default()).await?;
        to.flush().await?;
        passed.fetch_add(1, Ordering::Relaxed);
    }
}

fn refuse(status: StatusCode, code: &'static str, detail: &'static str) -> Problem {
    Problem::new(status, code, detail).header(header::CONNECTION, HeaderValue::from_static("close"))
}
