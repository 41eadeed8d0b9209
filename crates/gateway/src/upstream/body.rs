//! The body of an upstream's answer, passed on as it comes and no faster than the client takes it.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use durward_net::http1::{Decoded, Framing};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::io::AsyncReadExt as _;

use super::UpstreamError;
use super::connection::{Answered, Connection, Sending};
use super::exchange::Ticket;
use super::head::AnswerHead;
use super::stream::{Reading, Writing};

/// Bytes read at a time.
const PIECE: usize = 32 * 1024;
/// Bytes of a body that are rather copied than left to hold on to all that was read: the connection reads into the same memory again.
const COPIED: usize = 4 * 1024;

/// The body of an answer. Dropped early, it closes its connection.
pub(crate) struct UpstreamBody(State);

enum State {
    /// It came together with the head; `None` once handed out.
    Whole(Option<Bytes>),
    Streaming(Box<Streaming>),
    /// Over HTTP/2, which frames it. It is under way for as long as it lasts.
    Http2 {
        body: hyper::body::Incoming,
        _ticket: Ticket,
    },
    /// None: the connection goes on with another protocol.
    Switched(Option<Switched>),
}

/// A connection that goes on with another protocol.
pub(crate) struct Switched {
    pub(crate) read: Reading,
    pub(crate) write: Writing,
    /// What was read of it already.
    pub(crate) ahead: BytesMut,
    /// It is under way for as long as it lasts.
    pub(crate) ticket: Ticket,
}

struct Streaming {
    /// Gone once the body has ended.
    connection: Option<Connection>,
    framing: Framing,
    keep_alive: bool,
    /// The request's body, while the upstream answers before it has all of it.
    sending: Option<Sending>,
    ticket: Ticket,
}

impl UpstreamBody {
    /// The answer of a head and the connection it came on.
    pub(super) fn begin(answered: Answered, ticket: Ticket) -> Response<Self> {
        let Answered { mut connection, head, sending } = answered;
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            let Connection { read, write, buffer: ahead, .. } = connection;
            let switched = write.map(|write| Switched { read, write, ahead, ticket });
            return Self(State::Switched(switched)).under(head);
        }
        connection.is_long = !matches!(head.framing, Framing::Length(length) if length <= COPIED as u64);
        let whole = if sending.is_none() { whole(&mut connection, head.framing) } else { None };
        let state = match whole {
            Some(body) => {
                finish(connection, head.keep_alive, &ticket);
                State::Whole((!body.is_empty()).then_some(body))
            }
            None => {
                connection.allow(ticket.upstream.timeouts.idle);
                let (framing, keep_alive) = (head.framing, head.keep_alive);
                State::Streaming(Box::new(Streaming { connection: Some(connection), framing, keep_alive, sending, ticket }))
            }
        };
        Self(state).under(head)
    }

    /// The body of an answer over HTTP/2.
    pub(super) const fn over_http2(body: hyper::body::Incoming, ticket: Ticket) -> Self {
        Self(State::Http2 { body, _ticket: ticket })
    }

    fn under(self, head: AnswerHead) -> Response<Self> {
        let mut response = Response::new(self);
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        response
    }

    /// Whether more of it is still to come.
    pub(crate) fn is_streaming(&self) -> bool {
        match &self.0 {
            State::Streaming(_) => true,
            State::Http2 { body, .. } => !body.is_end_stream(),
            State::Whole(_) | State::Switched(_) => false,
        }
    }

    /// The connection, when it goes on with another protocol.
    pub(crate) const fn switched(&mut self) -> Option<Switched> {
        match &mut self.0 {
            State::Switched(switched) => switched.take(),
            State::Whole(_) | State::Streaming(_) | State::Http2 { .. } => None,
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        match &mut self.0 {
            State::Whole(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            State::Streaming(streaming) => streaming.poll(cx),
            State::Http2 { body, .. } => Pin::new(body).poll_frame(cx).map_err(|error| UpstreamError::Broken(std::io::Error::other(error))),
            State::Switched(_) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            State::Whole(body) => body.is_none(),
            State::Streaming(_) => false,
            State::Http2 { body, .. } => body.is_end_stream(),
            State::Switched(_) => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            State::Whole(body) => SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64)),
            State::Http2 { body, .. } => body.size_hint(),
            State::Switched(_) => SizeHint::with_exact(0),
            State::Streaming(streaming) => match streaming.framing {
                Framing::Length(left) => SizeHint::with_exact(left),
                Framing::Chunked(_) | Framing::Close => SizeHint::default(),
            },
        }
    }
}

impl Streaming {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        self.send_on(cx);
        loop {
            let Some(connection) = &mut self.connection else { return Poll::Ready(None) };
            match self.framing.decode(&mut connection.buffer) {
                Ok(Decoded::Data(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(Decoded::More) => {}
                Ok(Decoded::End) => {
                    if let Some(connection) = self.connection.take() {
                        finish(connection, self.keep_alive, &self.ticket);
                    }
                    return Poll::Ready(None);
                }
                Err(reason) => return self.fail(UpstreamError::Malformed(reason)),
            }
            match poll_read(connection, cx) {
                Poll::Ready(Ok(0)) if self.framing == Framing::Close => {
                    self.connection = None;
                    return Poll::Ready(None);
                }
                Poll::Ready(Ok(0)) => return self.fail(UpstreamError::Malformed("it ends within the body")),
                Poll::Ready(Ok(_)) => connection.allow(self.ticket.upstream.timeouts.idle),
                Poll::Ready(Err(error)) => return self.fail(UpstreamError::Broken(error)),
                Poll::Pending => {
                    ready!(connection.timer.as_mut().poll(cx));
                    let limit = self.ticket.upstream.timeouts.idle;
                    return self.fail(UpstreamError::IdleTimeout(limit));
                }
            }
        }
    }

    /// Goes on sending the request's body. When that fails, the answer goes on and the connection is not used again.
    fn send_on(&mut self, cx: &mut Context<'_>) {
        let Some(sending) = &mut self.sending else { return };
        let Poll::Ready(sent) = sending.as_mut().poll(cx) else { return };
        self.sending = None;
        if let (Ok(write), Some(connection)) = (sent, &mut self.connection) {
            connection.write = Some(write);
        }
    }

    fn fail<T>(&mut self, error: UpstreamError) -> Poll<Option<Result<T, UpstreamError>>> {
        self.connection = None;
        Poll::Ready(Some(Err(error)))
    }
}

/// The whole body, when it is in the buffer already.
fn whole(connection: &mut Connection, framing: Framing) -> Option<Bytes> {
    match framing {
        Framing::Length(length) => {
            let length = usize::try_from(length).ok()?;
            let body = connection.buffer.get(..length)?;
            if length > COPIED {
                return Some(connection.buffer.split_to(length).freeze());
            }
            let body = Bytes::copy_from_slice(body);
            connection.buffer.advance(length);
            Some(body)
        }
        Framing::Chunked(_) | Framing::Close => None,
    }
}

/// Keeps the connection when another request may follow: nothing unasked behind the answer, and the request wholly sent.
fn finish(connection: Connection, keep_alive: bool, ticket: &Ticket) {
    if keep_alive && connection.buffer.is_empty() && connection.write.is_some() {
        ticket.host.keep(connection);
    }
}

fn poll_read(connection: &mut Connection, cx: &mut Context<'_>) -> Poll<std::io::Result<usize>> {
    connection.buffer.reserve(PIECE);
    // Made anew at each poll: nothing is lost with it.
    std::pin::pin!(connection.read.read_buf(&mut connection.buffer)).poll(cx)
}
