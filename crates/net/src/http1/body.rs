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
use crate::http2::unread::Readable;
use crate::pace::Pace;

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

/// The body of a request, over either version of HTTP. What the handler does not take is not read, but for a little over HTTP/2.
pub struct Incoming {
    source: Source,
    /// None where its sender may take its time.
    pace: Option<Pace>,
}

enum Source {
    Empty,
    Http1 { wire: Arc<Mutex<dyn Pieces>>, left: Option<u64>, ended: bool },
    Http2(Readable),
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
        Self { source: Source::Empty, pace: None }
    }

    /// The same of a stream that may rest for as long as it likes.
    #[must_use]
    pub fn unhurried(self) -> Self {
        Self { pace: None, ..self }
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
        Self { source: Source::Http1 { wire, left, ended: false }, pace: Some(Pace::default()) }
    }
}

impl Source {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self {
            Self::Empty => Poll::Ready(None),
            Self::Http2(body) => match body.get_mut() {
                Some(body) => Pin::new(body).poll_frame(cx).map_err(BodyError::Stream),
                None => Poll::Ready(None),
            },
            Self::Http1 { ended: true, .. } => Poll::Ready(None),
            Self::Http1 { wire, left, ended } => {
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
}

impl From<hyper::body::Incoming> for Incoming {
    fn from(body: hyper::body::Incoming) -> Self {
        Self { source: Source::Http2(Readable::new(body)), pace: Some(Pace::default()) }
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Self { source, pace } = self.get_mut();
        let frame = source.poll(cx);
        let Some(pace) = pace else { return frame };
        match &frame {
            Poll::Ready(Some(Ok(frame))) => pace.came(frame.data_ref().map_or(0, Bytes::len)),
            Poll::Ready(_) => {}
            Poll::Pending => return pace.poll_over(cx).map(|()| Some(Err(BodyError::TooSlow))),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Empty => true,
            Source::Http1 { ended, .. } => *ended,
            Source::Http2(body) => body.get().is_none_or(Body::is_end_stream),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Empty => SizeHint::with_exact(0),
            Source::Http1 { left, .. } => left.map_or_else(SizeHint::default, SizeHint::with_exact),
            Source::Http2(body) => body.get().map(Body::size_hint).unwrap_or_default(),
        }
    }
}
