//! What a connection and the body of its present request share: the stream and what was read ahead of it.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use durward_base::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::body::BodyError;
use super::framing::{Decoded, Framing};

/// Bytes of a head read at a time, from the stack: a connection that waits holds no memory for what has not come.
const HEAD_PIECE: usize = 8 * 1024;
/// Bytes of a body read at a time.
const BODY_PIECE: usize = 16 * 1024;
/// Bytes of further requests taken in while one is being answered.
const AHEAD: usize = 16 * 1024;

/// The stream of a connection, and how far it was read.
pub(super) struct Wire<I> {
    pub(super) io: I,
    pub(super) buffer: BytesMut,
    /// What is still to come of the present request's body.
    pub(super) body: Option<Framing>,
    /// Whether the body broke its framing: where it ends is not known any more.
    broken: bool,
    /// What of an interim answer is to be written before the body is read.
    pub(super) interim: &'static [u8],
    idle: Duration,
    pub(super) reading: Patience,
    writing: Patience,
}

/// The wire, which one of its sharers at a time looks at, and never across an await.
pub(super) fn lock<W: ?Sized>(wire: &Mutex<W>) -> MutexGuard<'_, W> {
    wire.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<I: AsyncRead + AsyncWrite + Unpin> Wire<I> {
    pub(super) fn new(io: I, idle: Duration) -> Self {
        let (reading, writing) = (Patience::default(), Patience::default());
        Self { io, buffer: BytesMut::new(), body: None, broken: false, interim: b"", idle, reading, writing }
    }

    /// Reads what has come of a head, or 0 bytes at the end.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::uninit() }; HEAD_PIECE];
        let mut read = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut read))?;
        self.buffer.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    }

    /// Ready when the client has gone. What it sends beyond its request is kept for its turn.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Who reads the body notices.
        while self.body.is_none() && self.buffer.len() < AHEAD {
            match ready!(self.poll_read(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
        Poll::Pending
    }

    /// The next piece of the request's body.
    pub(super) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        loop {
            let Some(framing) = &mut self.body else { return Poll::Ready(None) };
            match framing.decode(&mut self.buffer) {
                Ok(Decoded::Data(data)) => {
                    // RFC 9110 section 10.1.1: a server MAY omit it "if it has already received some or all of the content".
                    self.interim = b"";
                    return Poll::Ready(Some(Ok(data)));
                }
                Ok(Decoded::End) => {
                    self.body = None;
                    return Poll::Ready(None);
                }
                Ok(Decoded::More) => {}
                Err(reason) => {
                    self.broken = true;
                    return Poll::Ready(Some(Err(BodyError::Malformed(reason))));
                }
            }
            while !self.interim.is_empty() {
                let written = ready!(Pin::new(&mut self.io).poll_write(cx, self.interim)).map_err(BodyError::Broken)?;
                self.interim = self.interim.get(written..).unwrap_or_default();
            }
            self.buffer.reserve(BODY_PIECE);
            // Made anew at each poll: nothing is lost with it.
            match pin!(self.io.read_buf(&mut self.buffer)).poll(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Some(Err(BodyError::CutShort))),
                Poll::Ready(Ok(_)) => self.reading.rest(),
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(BodyError::Broken(error)))),
                Poll::Pending => {
                    ready!(self.reading.poll_over(cx, self.idle));
                    return Poll::Ready(Some(Err(BodyError::TooSlow)));
                }
            }
        }
    }

    /// Whether nothing of the request's body is left, or nothing that has not come already; that is passed over.
    pub(super) fn is_past_body(&mut self) -> bool {
        while let (Some(framing), false) = (&mut self.body, self.broken) {
            match framing.decode(&mut self.buffer) {
                Ok(Decoded::Data(_)) => {}
                Ok(Decoded::End) => self.body = None,
                Ok(Decoded::More) => return false,
                Err(_) => self.broken = true,
            }
        }
        !self.broken
    }

    /// Writes all of `out` and gives it to the client, each piece within the idle time.
    pub(super) fn poll_put(&mut self, cx: &mut Context<'_>, out: &mut impl Buf) -> Poll<io::Result<()>> {
        while out.has_remaining() {
            let mut slices = [IoSlice::new(b""); 4];
            let count = out.chunks_vectored(&mut slices);
            let slices = slices.get(..count).unwrap_or_default();
            match Pin::new(&mut self.io).poll_write_vectored(cx, slices) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    out.advance(written);
                    self.writing.rest();
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.poll_stuck(cx),
            }
        }
        match Pin::new(&mut self.io).poll_flush(cx) {
            Poll::Ready(flushed) => {
                self.writing.rest();
                Poll::Ready(flushed)
            }
            Poll::Pending => self.poll_stuck(cx),
        }
    }

    /// A client that takes nothing of its answer is not waited for.
    fn poll_stuck(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.writing.poll_over(cx, self.idle));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// How long something has been waited for. Its timer is made when it is first needed, and put off rather than made anew.
#[derive(Default)]
pub(super) struct Patience {
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Patience {
    /// Ready once this has been asked for as long as `limit` without a rest.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        if !self.waiting {
            self.waiting = true;
            timer.as_mut().reset(Instant::now() + limit);
        }
        timer.as_mut().poll(cx)
    }

    /// What was waited for has come.
    pub(super) const fn rest(&mut self) {
        self.waiting = false;
    }
}
