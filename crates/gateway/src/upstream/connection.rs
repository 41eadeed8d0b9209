//! One connection: a request out, an answer's head in, and the request's body sent beside it.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use bytes::{Buf as _, Bytes, BytesMut};
use durward_base::Duration;
use durward_net::Incoming;
use durward_net::http1::tokens;
use http::{Method, header};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Sleep;

use super::head::{self, AnswerHead, HEAD_BYTES};
use super::stream::{Reading, Writing};
use super::{Outgoing, Payload, UpstreamError, UpstreamTimeouts};

/// Interim answers before the final one.
const INTERIM_ANSWERS: usize = 8;
/// The fewest bytes left over that are worth reading an answer into, and those allocated otherwise: where answers are short, and where they
/// are long, so that what an upstream sends in one go is read in one.
const SHORT: (usize, usize) = (2 * 1024, 16 * 1024);
const LONG: (usize, usize) = (24 * 1024, 32 * 1024);

/// How a request's body is framed on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upload {
    /// `Content-Length`, already in the head: exactly this many bytes follow.
    Length(u64),
    /// `Transfer-Encoding: chunked`, already in the head.
    Chunked,
}

/// The sending of a body; gives the connection's writing half back when all is sent.
pub(super) type Sending = Pin<Box<dyn Future<Output = Result<Writing, UpstreamError>> + Send>>;

/// What an answer is to: its method, and the protocol that the connection may go on with.
pub(super) type Asked<'a> = (&'a Method, Option<&'a str>);

/// An answer's head, and what the rest of it comes on.
pub(super) struct Answered {
    pub(super) connection: Connection,
    pub(super) head: AnswerHead,
    /// The request's body, while it is still being sent.
    pub(super) sending: Option<Sending>,
}

/// A connection to an upstream.
pub(super) struct Connection {
    pub(super) read: Reading,
    /// Absent while a body is being sent, and after that has failed.
    pub(super) write: Option<Writing>,
    pub(super) buffer: BytesMut,
    /// Whether the last answer's body was long, as the next one's will be.
    pub(super) is_long: bool,
    /// Runs while something is awaited. One for all its requests: putting it off is cheaper than making it anew.
    pub(super) timer: Pin<Box<Sleep>>,
    since: Instant,
}

impl Connection {
    pub(super) fn new((read, write): (Reading, Writing)) -> Self {
        let timer = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self { read, write: Some(write), buffer: BytesMut::new(), is_long: false, timer, since: Instant::now() }
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
        self.buffer.is_empty() && self.read.is_silent()
    }

    /// Sends the request and takes the answer's head; the rest of the answer, and of the request's body, goes with the answer.
    pub(super) async fn exchange(
        mut self,
        head: &[u8],
        request: &mut Outgoing<'_>,
        timeouts: UpstreamTimeouts,
    ) -> Result<Answered, UpstreamError> {
        let asked = (request.method, request.upgrade);
        let (body, framing) = match std::mem::replace(&mut request.payload, Payload::Gone) {
            Payload::Streamed(body, framing) => (body, framing),
            whole @ (Payload::Whole(_) | Payload::Gone) => {
                request.payload = whole;
                let head = match &request.payload {
                    Payload::Whole(body) if !body.is_empty() => self.send(&[head, body.as_ref()].concat(), asked, timeouts.answer).await?,
                    _ => self.send(head, asked, timeouts.answer).await?,
                };
                return Ok(Answered { connection: self, head, sending: None });
            }
        };
        let write = self.write.take().ok_or(UpstreamError::Closed)?;
        let mut sending: Sending = Box::pin(send(write, Bytes::copy_from_slice(head), body, framing, timeouts.idle));
        match self.head_or_sent(asked, &mut sending).await? {
            Some(head) => Ok(Answered { connection: self, head, sending: Some(sending) }),
            None => {
                let head = self.head_within(asked, timeouts.answer).await?;
                Ok(Answered { connection: self, head, sending: None })
            }
        }
    }

    /// A request that is whole: out with it, and the answer's head in.
    pub(super) async fn send(&mut self, request: &[u8], asked: Asked<'_>, limit: Duration) -> Result<AnswerHead, UpstreamError> {
        let mut write = self.write.take().ok_or(UpstreamError::Closed)?;
        self.allow(limit);
        let exchange = async {
            // As with answers: the requests of all that came at once go out at once, and wake the upstream once.
            tokio::task::yield_now().await;
            write.write_all(request).await.map_err(UpstreamError::Broken)?;
            write.flush().await.map_err(UpstreamError::Broken)?;
            read_head(&mut self.read, (&mut self.buffer, self.is_long), asked).await
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
    async fn head_or_sent(&mut self, asked: Asked<'_>, sending: &mut Sending) -> Result<Option<AnswerHead>, UpstreamError> {
        let sent = tokio::select! {
            biased;
            sent = &mut *sending => sent,
            head = read_head(&mut self.read, (&mut self.buffer, self.is_long), asked) => return head.map(Some),
        };
        match sent {
            Ok(write) => self.write = Some(write),
            // The upstream stopped reading: perhaps because it has answered.
            Err(UpstreamError::Broken(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    async fn head_within(&mut self, asked: Asked<'_>, limit: Duration) -> Result<AnswerHead, UpstreamError> {
        self.allow(limit);
        tokio::select! {
            biased;
            head = read_head(&mut self.read, (&mut self.buffer, self.is_long), asked) => head,
            () = self.timer.as_mut() => Err(UpstreamError::AnswerTimeout(limit)),
        }
    }

    /// Lets the timer run for so long from now.
    pub(super) fn allow(&mut self, limit: Duration) {
        self.timer.as_mut().reset(tokio::time::Instant::now() + limit);
    }
}

/// The head of the final answer. May be dropped and called again: what was read stays in the buffer.
async fn read_head(
    read: &mut Reading,
    (buffer, is_long): (&mut BytesMut, bool),
    (method, upgrade): Asked<'_>,
) -> Result<AnswerHead, UpstreamError> {
    for _ in 0..INTERIM_ANSWERS {
        let head = loop {
            if let Some(head) = head::take(buffer, method).map_err(UpstreamError::Malformed)? {
                break head;
            }
            make_room(buffer, is_long);
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
            let is_agreed = agreed.next().zip(upgrade).is_some_and(|(agreed, asked)| asked.eq_ignore_ascii_case(agreed));
            let is_agreed = is_agreed && agreed.next().is_none();
            drop(agreed);
            return if is_agreed { Ok(head) } else { Err(UpstreamError::Malformed("it switches protocols unasked")) };
        }
    }
    Err(UpstreamError::Malformed("too many interim answers"))
}

/// Many short answers share one piece of memory.
fn make_room(buffer: &mut BytesMut, is_long: bool) {
    let (least, piece) = if is_long { LONG } else { SHORT };
    if buffer.capacity() - buffer.len() < least {
        buffer.reserve(piece);
    }
}

/// Sends head and body, each piece within `idle`. Trailers are dropped.
async fn send(mut write: Writing, head: Bytes, mut body: Incoming, framing: Upload, idle: Duration) -> Result<Writing, UpstreamError> {
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

async fn put(write: &mut Writing, mut piece: impl bytes::Buf, idle: Duration) -> Result<(), UpstreamError> {
    let putting = async {
        write.write_all_buf(&mut piece).await?;
        write.flush().await
    };
    tokio::time::timeout(idle, putting).await.map_err(|_| UpstreamError::IdleTimeout(idle))?.map_err(UpstreamError::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_has_room_in_one_piece() {
        let mut buffer = BytesMut::with_capacity(SHORT.1);
        make_room(&mut buffer, false);
        assert_eq!(buffer.capacity(), SHORT.1, "short answers share what there is");
        make_room(&mut buffer, true);
        assert!(buffer.capacity() >= LONG.1);
    }
}
