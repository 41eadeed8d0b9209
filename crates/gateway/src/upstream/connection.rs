//! One connection: a request out, an answer's head in, and the request's body sent beside it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Buf as _, Bytes, BytesMut};
use durward_base::Duration;
use durward_net::Incoming;
use durward_net::http1::tokens;
use http::{Response, header};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::Sleep;

use super::body::UpstreamBody;
use super::head::{self, AnswerHead, HEAD_BYTES};
use super::{Outgoing, Upstream, UpstreamError};

/// Interim answers before the final one.
const INTERIM_ANSWERS: usize = 8;
/// Bytes allocated at a time for answers' heads, and the fewest left over that are worth reading into.
const PIECE: usize = 16 * 1024;
const ROOM: usize = 2 * 1024;

/// How a request's body is framed on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upload {
    /// `Content-Length`, already in the head: exactly this many bytes follow.
    Length(u64),
    /// `Transfer-Encoding: chunked`, already in the head.
    Chunked,
}

/// The sending of a body; gives the connection's writing half back when all is sent.
pub(super) type Sending = Pin<Box<dyn Future<Output = Result<OwnedWriteHalf, UpstreamError>> + Send>>;

/// A connection to an upstream.
pub(super) struct Connection {
    pub(super) read: OwnedReadHalf,
    /// Absent while a body is being sent, and after that has failed.
    pub(super) write: Option<OwnedWriteHalf>,
    pub(super) buffer: BytesMut,
    /// Runs while something is awaited. One for all its requests: putting it off is cheaper than making it anew.
    pub(super) timer: Pin<Box<Sleep>>,
    since: Instant,
}

impl Connection {
    pub(super) async fn open(host: &str, port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        let timer = Box::pin(tokio::time::sleep(Duration::ZERO));
        Ok(Self { read, write: Some(write), buffer: BytesMut::new(), timer, since: Instant::now() })
    }

    /// Puts it to rest until the next request.
    pub(super) fn rest(&mut self) {
        self.since = Instant::now();
    }

    pub(super) fn is_fresh(&self, idle: Duration) -> bool {
        self.since.elapsed() < idle
    }

    /// Whether nothing came while it rested: an upstream that closed it, or spoke unasked, is not used again.
    pub(super) fn is_silent(&mut self) -> bool {
        let silence = self.read.try_read(&mut [0]);
        self.buffer.is_empty() && silence.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends the request and takes the answer's head; the rest of the answer, and of the request's body, goes with the answer.
    pub(super) async fn exchange(
        mut self,
        upstream: &Arc<Upstream>,
        request: &Outgoing<'_>,
        body: Option<(Incoming, Upload)>,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        let limit = upstream.timeouts.answer;
        let write = self.write.take().ok_or(UpstreamError::Closed)?;
        let Some((body, framing)) = body else {
            let head = self.send_head(write, request, limit).await?;
            return Ok(UpstreamBody::begin(self, head, None, upstream));
        };
        let out = Bytes::copy_from_slice(request.head);
        let mut sending: Sending = Box::pin(send(write, out, body, framing, upstream.timeouts.idle));
        match self.head_or_sent(request, &mut sending).await? {
            Some(head) => Ok(UpstreamBody::begin(self, head, Some(sending), upstream)),
            None => {
                let head = self.head_within(request, limit).await?;
                Ok(UpstreamBody::begin(self, head, None, upstream))
            }
        }
    }

    /// A request that is nothing but a head: out with it, and the answer's head in.
    async fn send_head(&mut self, mut write: OwnedWriteHalf, request: &Outgoing<'_>, limit: Duration) -> Result<AnswerHead, UpstreamError> {
        self.allow(limit);
        let exchange = async {
            write.write_all(request.head).await.map_err(UpstreamError::Broken)?;
            read_head(&mut self.read, &mut self.buffer, request).await
        };
        let head = tokio::select! {
            biased;
            head = exchange => head?,
            () = self.timer.as_mut() => return Err(UpstreamError::AnswerTimeout(limit)),
        };
        self.write = Some(write);
        Ok(head)
    }

    /// Sends the body, unless the answer begins before that is done: then its head.
    async fn head_or_sent(&mut self, request: &Outgoing<'_>, sending: &mut Sending) -> Result<Option<AnswerHead>, UpstreamError> {
        let sent = tokio::select! {
            biased;
            sent = &mut *sending => sent,
            head = read_head(&mut self.read, &mut self.buffer, request) => return head.map(Some),
        };
        match sent {
            Ok(write) => self.write = Some(write),
            // The upstream stopped reading: perhaps because it has answered.
            Err(UpstreamError::Broken(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    async fn head_within(&mut self, request: &Outgoing<'_>, limit: Duration) -> Result<AnswerHead, UpstreamError> {
        self.allow(limit);
        tokio::select! {
            biased;
            head = read_head(&mut self.read, &mut self.buffer, request) => head,
            () = self.timer.as_mut() => Err(UpstreamError::AnswerTimeout(limit)),
        }
    }

    /// Lets the timer run for so long from now.
    pub(super) fn allow(&mut self, limit: Duration) {
        self.timer.as_mut().reset(tokio::time::Instant::now() + limit);
    }
}

/// The head of the final answer. May be dropped and called again: what was read stays in the buffer.
async fn read_head(read: &mut OwnedReadHalf, buffer: &mut BytesMut, request: &Outgoing<'_>) -> Result<AnswerHead, UpstreamError> {
    for _ in 0..INTERIM_ANSWERS {
        let head = loop {
            if let Some(head) = head::take(buffer, request.method).map_err(UpstreamError::Malformed)? {
                break head;
            }
            make_room(buffer);
            match read.read_buf(buffer).await {
                Ok(0) if buffer.is_empty() => return Err(UpstreamError::Closed),
                Ok(0) => return Err(UpstreamError::Malformed("it ends within the head")),
                Ok(_) if buffer.len() > 2 * HEAD_BYTES => return Err(UpstreamError::Malformed("the head is too large")),
                Ok(_) => {}
                Err(error) => return Err(UpstreamError::Broken(error)),
            }
        };
        if !head.status.is_informational() {
            return Ok(head);
        }
        if head.status == http::StatusCode::SWITCHING_PROTOCOLS {
            // "A server MUST NOT switch to a protocol that was not indicated by the client".
            let mut agreed = tokens(&head.headers, &header::UPGRADE);
            let is_agreed = agreed.next().zip(request.upgrade).is_some_and(|(agreed, asked)| asked.eq_ignore_ascii_case(agreed));
            let is_agreed = is_agreed && agreed.next().is_none();
            drop(agreed);
            return if is_agreed { Ok(head) } else { Err(UpstreamError::Malformed("it switches protocols unasked")) };
        }
    }
    Err(UpstreamError::Malformed("too many interim answers"))
}

/// Many small answers share one piece of memory.
fn make_room(buffer: &mut BytesMut) {
    if buffer.capacity() - buffer.len() < ROOM {
        buffer.reserve(PIECE);
    }
}

/// Sends head and body, each piece within `idle`. Trailers are dropped.
async fn send(
    mut write: OwnedWriteHalf,
    head: Bytes,
    mut body: Incoming,
    framing: Upload,
    idle: Duration,
) -> Result<OwnedWriteHalf, UpstreamError> {
    put(&mut write, head, idle).await?;
    let mut sent = 0_u64;
    loop {
        let frame = tokio::time::timeout(idle, body.frame()).await.map_err(|_| UpstreamError::RequestBody)?;
        let Some(frame) = frame.transpose().map_err(|_| UpstreamError::RequestBody)? else { break };
        let Ok(data) = frame.into_data() else { continue };
        if data.is_empty() {
            continue;
        }
        sent += data.len() as u64;
        match framing {
            Upload::Length(length) if sent > length => return Err(UpstreamError::RequestBody),
            Upload::Length(_) => put(&mut write, data, idle).await?,
            Upload::Chunked => {
                let size = format!("{:x}\r\n", data.len());
                put(&mut write, Bytes::from(size).chain(data).chain(&b"\r\n"[..]), idle).await?;
            }
        }
    }
    match framing {
        Upload::Length(length) if sent < length => return Err(UpstreamError::RequestBody),
        Upload::Length(_) => {}
        Upload::Chunked => put(&mut write, &b"0\r\n\r\n"[..], idle).await?,
    }
    Ok(write)
}

async fn put(write: &mut OwnedWriteHalf, mut piece: impl bytes::Buf, idle: Duration) -> Result<(), UpstreamError> {
    let late = || UpstreamError::Broken(io::ErrorKind::TimedOut.into());
    tokio::time::timeout(idle, write.write_all_buf(&mut piece)).await.map_err(|_| late())?.map_err(UpstreamError::Broken)
}
