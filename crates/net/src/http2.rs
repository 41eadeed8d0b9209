//! RFC 9113: HTTP/2, the server's side, which is hyper's, with limits on what a client may leave open or take back.

mod traffic;
pub(crate) mod unread;
mod websocket;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use durward_base::{Duration, Rng};
use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use self::traffic::{Counted, Traffic};
use crate::{Answer, Incoming, Limits, Shutdown, unserved};

/// Serves a connection until it ends; `Err` says why it did when what came was no HTTP/2, or nothing in time.
pub(crate) async fn serve<I, H>(io: I, handler: H, limits: Limits, rng: &Rng, shutdown: &Shutdown) -> Result<(), &'static str>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Answer,
{
    let (handler, traffic) = (Arc::new(handler), Arc::new(Traffic::default()));
    let (counting, rng, ending) = (Arc::clone(&traffic), rng.clone(), shutdown.clone());
    let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let (handler, call, rng, ending) = (Arc::clone(&handler), counting.begin(), rng.clone(), ending.clone());
        async move {
            if websocket::is_asked_for(&request) {
                return Ok::<_, Infallible>(Box::pin(websocket::answer(handler, request, &rng, (call, ending))).await);
            }
            Ok(handler.answer(request.map(Incoming::from)).await.map(|body| Counted::new(body, call)))
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .enable_connect_protocol()
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .keep_alive_timeout(limits.head);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = traffic.is_idle(limits.head, limits.idle) => {
            connection.as_mut().graceful_shutdown();
            // What is not over by then is a head that never became whole.
            let _ = timeout(limits.head, connection).await;
            return if traffic.has_begun() { Ok(()) } else { Err("http.too_slow") };
        }
        () = traffic.is_abused() => return Ok(()),
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
