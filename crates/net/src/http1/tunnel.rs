//! RFC 9110 section 7.8: what a connection becomes once both sides have agreed on another protocol.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::wire::lock;

/// A client's stream after the switch.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

type Run = Box<dyn FnOnce(Box<dyn Duplex>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// What follows an answer of 101, which carries it among its extensions. Not a byte of the client's passes before that answer is sent.
#[derive(Clone)]
pub struct Tunnel(Arc<Mutex<Option<Run>>>);

impl Tunnel {
    /// A tunnel that lasts as long as what `run` makes of the client's stream.
    pub fn new<F: Future<Output = ()> + Send + 'static>(run: impl FnOnce(Box<dyn Duplex>) -> F + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(move |client| Box::pin(run(client)))))))
    }

    pub(crate) async fn run<I: Duplex + 'static>(self, io: I, ahead: BytesMut) {
        let run = lock(&self.0).take();
        if let Some(run) = run {
            run(Box::new(Ahead { ahead, io })).await;
        }
    }
}

/// A stream of which something was read already.
struct Ahead<I> {
    ahead: BytesMut,
    io: I,
}

impl<I: AsyncRead + Unpin> AsyncRead for Ahead<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, into);
        }
        let length = self.ahead.len().min(into.remaining());
        into.put_slice(self.ahead.get(..length).unwrap_or_default());
        self.ahead.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Ahead<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
