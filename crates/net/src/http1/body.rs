//! The body of a request, read as its handler takes it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite};

use super::framing::Framing;
use super::wire::{Wire, lock};

/// Why a request's body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It breaks its framing.
    #[error("the request's body breaks HTTP: {0}")]
    Malformed(&'static str),
    /// The client closed the connection within it.
    #[error("the request ends within its body")]
    CutShort,
    /// Nothing of it came for too long.
    #[error("the request's body did not come in time")]
    TooSlow,
    /// The connection failed.
    #[error("the connection failed within the request's body: {0}")]
    Broken(#[source] io::Error),
    /// HTTP/2 failed.
    #[error("the request's stream failed: {0}")]
    Stream(#[source] hyper::Error),
}

/// The body of a request, over either version of HTTP. What the handler does not take is not read.
pub struct Incoming(Source);

enum Source {
    Empty,
    Http1 { wire: Arc<Mutex<dyn Pieces>>, left: Option<u64>, ended: bool },
    Http2(hyper::body::Incoming),
}

/// Where the pieces of a body come from.
trait Pieces: Send {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>>;
}

impl<I: AsyncRead + AsyncWrite + Unpin + Send> Pieces for Wire<I> {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.poll_body(cx)
    }
}

impl Incoming {
    /// The body of a request that has none.
    pub const fn empty() -> Self {
        Self(Source::Empty)
    }

    /// The body that comes next on a connection.
    pub(super) fn on<I: AsyncRead + AsyncWrite + Unpin + Send + 'static>(wire: &Arc<Mutex<Wire<I>>>, framing: Option<Framing>) -> Self {
        let left = match framing {
            None | Some(Framing::Length(0)) => return Self::empty(),
            Some(Framing::Length(length)) => Some(length),
            Some(Framing::Chunked(_) | Framing::Close) => None,
        };
        lock(wire).body = framing;
        let wire: Arc<Mutex<dyn Pieces>> = Arc::clone(wire) as _;
        Self(Source::Http1 { wire, left, ended: false })
    }
}

impl From<hyper::body::Incoming> for Incoming {
    fn from(body: hyper::body::Incoming) -> Self {
        Self(Source::Http2(body))
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Source::Empty => Poll::Ready(None),
            Source::Http2(body) => Pin::new(body).poll_frame(cx).map_err(BodyError::Stream),
            Source::Http1 { ended: true, .. } => Poll::Ready(None),
            Source::Http1 { wire, left, ended } => {
                let piece = ready!(lock(wire).poll_piece(cx));
                match (&piece, left) {
                    (Some(Ok(data)), Some(left)) => *left = left.saturating_sub(data.len() as u64),
                    (Some(Ok(_)), None) => {}
                    (Some(Err(_)) | None, _) => *ended = true,
                }
                Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Empty => true,
            Source::Http1 { ended, .. } => *ended,
            Source::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Empty => SizeHint::with_exact(0),
            Source::Http1 { left, .. } => left.map_or_else(SizeHint::default, SizeHint::with_exact),
            Source::Http2(body) => body.size_hint(),
        }
    }
}
