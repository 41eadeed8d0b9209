//! RFC 9112 section 9: a connection, one request after another.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use axum::BoxError;
use bytes::{Buf as _, Bytes};
use durward_base::{Clock, Duration};
use http::{Request, Response, StatusCode, Version, header};
use http_body::{Body, Frame};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_util::sync::WaitForCancellationFuture;

use super::answer::{Asked, Sent, write_head};
use super::body::Incoming;
use super::head::{HeadReader, RequestHead};
use super::message::tokens;
use super::refused::Refused;
use super::tunnel::Tunnel;
use super::wire::{Wire, lock};
use crate::Shutdown;

/// Bytes of an answer gathered before they are written, and the longest piece worth copying for that.
const GATHERED: usize = 16 * 1024;
const COPIED: usize = 4 * 1024;
/// What is taken, and for how long, of what a client still sends when it has had its last answer: closed at once, the connection would be reset
/// and the answer lost.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 * 1024;

/// What answers the requests of one connection.
pub trait Answer: Send + Sync + 'static {
    /// The bodies of its answers.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static;

    /// Answers a request.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Response<Self::Body>> + Send;

    /// Answers what is no request that could be taken up. The connection closes behind it.
    fn refuse(&self, refused: Refused) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// What a connection may take.
#[derive(Debug, Clone)]
pub(crate) struct Allowances {
    /// Bytes of a head.
    pub(crate) head_bytes: usize,
    /// Time for a head, from its first byte.
    pub(crate) head: Duration,
    /// Time without a byte within a body or an answer, and between requests.
    pub(crate) idle: Duration,
    pub(crate) clock: Clock,
}

/// Serves a connection until it ends.
pub(crate) async fn serve<I, H>(io: I, handler: H, allowances: Allowances, shutdown: &Shutdown)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Answer,
{
    let wire = Arc::new(Mutex::new(Wire::new(io, allowances.idle)));
    let connection = Connection { wire, handler, allowances };
    let mut waiting = Waiting { head: HeadReader::default(), begun: false, shutdown: Box::pin(shutdown.cancelled()) };
    let mut limit = connection.allowances.head;
    loop {
        // Boxed, so that a connection which waits for a request is small.
        let after = match poll_fn(|cx| connection.poll_head(&mut waiting, limit, cx)).await {
            Some(Ok(head)) => Box::pin(connection.exchange(head, shutdown)).await,
            Some(Err(refused)) => Box::pin(connection.refuse(refused)).await,
            None => return,
        };
        match after {
            Ok(After::Next) => {}
            Ok(After::Close) => return connection.close().await,
            Ok(After::Tunnel(tunnel)) => return connection.switch(tunnel, shutdown).await,
            // The client has gone, or its answer cannot be finished: what it has of it must not look whole.
            Err(_) => return,
        }
        limit = connection.allowances.idle;
    }
}

struct Connection<I, H> {
    wire: Arc<Mutex<Wire<I>>>,
    handler: H,
    allowances: Allowances,
}

/// A connection between two requests.
struct Waiting<'a> {
    head: HeadReader,
    begun: bool,
    shutdown: Pin<Box<WaitForCancellationFuture<'a>>>,
}

enum After {
    Next,
    Close,
    Tunnel(Tunnel),
}

impl<I, H> Connection<I, H>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Answer,
{
    /// The next head; `None` when none comes any more.
    fn poll_head(&self, waiting: &mut Waiting<'_>, limit: Duration, cx: &mut Context<'_>) -> Poll<Option<Result<RequestHead, Refused>>> {
        let wire = &mut *lock(&self.wire);
        loop {
            match waiting.head.take(&mut wire.buffer, self.allowances.head_bytes) {
                Ok(None) => {}
                Ok(Some(head)) => {
                    waiting.begun = false;
                    wire.reading.rest();
                    return Poll::Ready(Some(Ok(head)));
                }
                Err(refused) => return Poll::Ready(Some(Err(refused))),
            }
            match wire.poll_read(cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(None),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => {
                    let begins = !waiting.begun && !wire.buffer.is_empty();
                    if begins {
                        waiting.begun = true;
                        wire.reading.rest();
                    }
                    let limit = if waiting.begun { self.allowances.head } else { limit };
                    if wire.reading.poll_over(cx, limit).is_ready() {
                        return Poll::Ready(waiting.begun.then_some(Err(Refused::TooSlow)));
                    }
                    if !waiting.begun {
                        ready!(waiting.shutdown.as_mut().poll(cx));
                        return Poll::Ready(None);
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    /// One request and its answer.
    async fn exchange(&self, head: RequestHead, shutdown: &Shutdown) -> io::Result<After> {
        let RequestHead { parts, framing, keep_alive, expects_continue } = head;
        let asked = Asked::of(&parts);
        // What follows a request that would end HTTP/1.1 here is of one protocol or the other: it is read after a 101, or not at all.
        let keep_alive = keep_alive && !parts.headers.contains_key(header::UPGRADE);
        let body = Incoming::on(&self.wire, framing);
        if expects_continue {
            lock(&self.wire).interim = b"HTTP/1.1 100 Continue\r\n\r\n";
        }
        let response = self.unless_gone(pin!(self.handler.answer(Request::from_parts(parts, body)))).await?;
        let closes = tokens(response.headers(), &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("close"));
        let keep_alive = keep_alive && !closes && !shutdown.is_cancelled() && self.is_past_body();
        self.send(asked, response, keep_alive).await
    }

    async fn refuse(&self, refused: Refused) -> io::Result<After> {
        let response = self.handler.refuse(refused).await;
        self.send(Asked { is_head: false, version: Version::HTTP_10 }, response, false).await
    }

    /// Whether the next request begins where the wire stands. A body that somebody still reads is not over.
    fn is_past_body(&self) -> bool {
        let mut wire = lock(&self.wire);
        wire.interim = b"";
        wire.body.is_none() || Arc::strong_count(&self.wire) == 1 && wire.is_past_body()
    }

    /// Sends an answer. What there is of its body goes out with its head, in one write.
    async fn send(&self, asked: Asked, response: Response<H::Body>, keep_alive: bool) -> io::Result<After> {
        let (parts, body) = response.into_parts();
        let mut body = pin!(body);
        let mut sent = Sent::of(&parts, asked, body.size_hint().exact());
        let keep_alive = keep_alive && sent != Sent::Close;
        let mut out = Vec::with_capacity(1024);
        write_head(&mut out, &parts, sent, keep_alive, self.allowances.clock.now());
        let tunnel = parts.extensions.get::<Tunnel>().filter(|_| parts.status == StatusCode::SWITCHING_PROTOCOLS).cloned();
        drop(parts);
        while sent != Sent::Nothing {
            let Some(frame) = self.frame(body.as_mut(), &mut out).await? else { break };
            let Ok(data) = frame.into_data() else { continue };
            if data.is_empty() {
                continue;
            }
            let copies = data.len() <= COPIED && out.len() + data.len() <= GATHERED;
            let mut piece = sent.piece(data)?;
            if copies {
                while piece.has_remaining() {
                    let chunk = piece.chunk();
                    out.extend_from_slice(chunk);
                    let length = chunk.len();
                    piece.advance(length);
                }
            } else {
                let gathered = std::mem::take(&mut out);
                self.put(Bytes::from(gathered).chain(piece)).await?;
            }
        }
        out.extend_from_slice(sent.end()?);
        if !out.is_empty() {
            // What else has come is answered first, and all of it goes out at once: to wake who waits for it costs more than to write it.
            tokio::task::yield_now().await;
            self.put(Bytes::from(out)).await?;
        }
        Ok(match tunnel {
            Some(tunnel) => After::Tunnel(tunnel),
            None if keep_alive => After::Next,
            None => After::Close,
        })
    }

    /// The next piece of an answer. While it is waited for, what was gathered before goes out, and the client may go.
    async fn frame(&self, mut body: Pin<&mut H::Body>, out: &mut Vec<u8>) -> io::Result<Option<Frame<Bytes>>> {
        let mut poll = |cx: &mut Context<'_>| body.as_mut().poll_frame(cx).map(|frame| frame.transpose().map_err(io::Error::other));
        let ready = poll_fn(|cx| match poll(cx) {
            Poll::Ready(frame) => Poll::Ready(Some(frame)),
            Poll::Pending => Poll::Ready(None),
        });
        if let Some(frame) = ready.await {
            return frame;
        }
        if !out.is_empty() {
            self.put(Bytes::from(std::mem::take(out))).await?;
        }
        self.unless_gone(Pin::new(&mut poll_fn(poll))).await?
    }

    async fn put(&self, mut out: impl bytes::Buf) -> io::Result<()> {
        poll_fn(|cx| lock(&self.wire).poll_put(cx, &mut out)).await
    }

    /// Waits for something, but not for a client that is no longer there. It stays where it is: moved in here, it would be copied.
    async fn unless_gone<T>(&self, mut future: Pin<&mut impl Future<Output = T>>) -> io::Result<T> {
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Ok(value)),
            Poll::Pending => lock(&self.wire).poll_gone(cx).map(|()| Err(io::ErrorKind::ConnectionAborted.into())),
        })
        .await
    }

    /// Gives the stream away, with what came ahead. A tunnel has no end that shutting down could wait for.
    async fn switch(self, tunnel: Tunnel, shutdown: &Shutdown) {
        let Some(wire) = Arc::into_inner(self.wire).and_then(|wire| wire.into_inner().ok()) else { return };
        shutdown.run_until_cancelled(Box::pin(tunnel.run(wire.io, wire.buffer))).await;
    }

    /// Ends the connection behind its last answer.
    async fn close(&self) {
        let lingered = async {
            poll_fn(|cx| Pin::new(&mut lock(&self.wire).io).poll_shutdown(cx)).await?;
            let mut left = LINGER_BYTES;
            poll_fn(|cx| {
                loop {
                    let mut wire = lock(&self.wire);
                    let read = ready!(wire.poll_read(cx))?;
                    wire.buffer.clear();
                    left = left.saturating_sub(read);
                    if read == 0 || left == 0 {
                        return Poll::Ready(io::Result::Ok(()));
                    }
                }
            })
            .await
        };
        // However it ends, the connection is over.
        let _ = timeout(LINGER, lingered).await;
    }
}
