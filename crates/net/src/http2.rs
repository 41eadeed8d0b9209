//! RFC 9113: HTTP/2, the server's side, which is hyper's.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use durward_base::Duration;
use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Answer, Incoming, Limits, Shutdown, unserved};

/// Serves a connection until it ends; `Err` says why it did when what came was no HTTP/2.
pub(crate) async fn serve<I, H>(io: I, handler: H, limits: Limits, shutdown: &Shutdown) -> Result<(), &'static str>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Answer,
{
    let handler = Arc::new(handler);
    let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let handler = Arc::clone(&handler);
        async move { Ok::<_, Infallible>(handler.answer(request.map(Incoming::from)).await) }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .keep_alive_timeout(limits.head);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    ended.or_else(|error| {
        tracing::debug!(%error, "a connection ended early");
        if unserved::is_malformed(&error) { Err("http.malformed") } else { Ok(()) }
    })
}
