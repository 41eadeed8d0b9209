//! RFC 9113, the client's side, which is hyper's: services that are spoken to in HTTP/2, gRPC above all. One connection a host bears all requests of clients.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use durward_base::Duration;
use durward_net::{BodyError, Incoming};
use http::{HeaderName, HeaderValue, Request, Response, Uri, Version, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Collected, Limited};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::{Mutex, watch};

use super::exchange::Ticket;
use super::head::HEAD_BYTES;
use super::host::Host;
use super::stream::Stream;
use super::{Outgoing, Payload, UpstreamBody, UpstreamError, UpstreamTimeouts};
use crate::forward::strip;

/// How often a connection with requests under way is asked whether it still stands, and how long it may think about it.
const PING: Duration = Duration::from_secs(30);
const PONG: Duration = Duration::from_secs(10);
/// Bytes of an answer to a request of our own.
const SMALL: usize = 4 * 1024;

/// The connection to a host, made when it is first needed, and again when it has gone.
#[derive(Default)]
pub(super) struct Shared(Mutex<Option<SendRequest<Outbound>>>);

impl Shared {
    async fn sender(&self, host: &Host, limit: Duration) -> Result<SendRequest<Outbound>, UpstreamError> {
        let mut held = self.0.lock().await;
        if let Some(sender) = held.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let mut builder = Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).keep_alive_interval(Some(PING)).keep_alive_timeout(PONG).max_header_list_size(HEAD_BYTES as u32);
        let sender = match host.open(limit).await? {
            Stream::Plain(stream) => driven(builder.handshake(TokioIo::new(stream)).await.map_err(broken)?),
            Stream::Tls(stream) => driven(builder.handshake(TokioIo::new(stream)).await.map_err(broken)?),
        };
        *held = Some(sender.clone());
        Ok(sender)
    }
}

/// Drives a connection for as long as it lasts.
fn driven<S>((sender, connection): (S, impl Future<Output = hyper::Result<()>> + Send + 'static)) -> S {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to an upstream ended early");
        }
    });
    sender
}

/// Sends a request whose head this is and takes the answer's head. What the connection gave back unsent goes out on a new one.
pub(super) async fn exchange(ticket: Ticket, head: &[u8], request: &mut Outgoing<'_>) -> Result<Response<UpstreamBody>, UpstreamError> {
    let timeouts = ticket.upstream.timeouts;
    let (body, turn) = Outbound::of(&mut request.payload);
    let mut outbound =
        read_back(head, ticket.host.is_tls(), body).ok_or(UpstreamError::Malformed("its own head cannot be said in HTTP/2"))?;
    let answer = async {
        let mut is_again = false;
        loop {
            let mut sender = ticket.host.http2.sender(&ticket.host, timeouts.connect).await?;
            match sender.try_send_request(outbound).await {
                Ok(response) => return Ok(response),
                Err(mut error) => match error.take_message().filter(|_| !is_again) {
                    Some(unsent) => (outbound, is_again) = (unsent, true),
                    None => return Err(broken(error.into_error())),
                },
            }
        }
    };
    let response = tokio::select! {
        biased;
        response = answer => response?,
        late = late(turn, timeouts) => return Err(late),
    };
    let (mut parts, body) = response.into_parts();
    parts.version = Version::HTTP_11;
    Ok(Response::from_parts(parts, UpstreamBody::over_http2(body, ticket)))
}

/// Ends when an answer is late: the upstream took nothing of the request for as long as it may be idle, be it that all its streams are
/// taken, or it had all of it for as long as it may think.
async fn late(mut turn: watch::Receiver<Turn>, timeouts: UpstreamTimeouts) -> UpstreamError {
    loop {
        match tokio::time::timeout(timeouts.idle, turn.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_sent)) => break,
            Err(_) if *turn.borrow() == Turn::Upstream => return UpstreamError::IdleTimeout(timeouts.idle),
            Err(_) => {}
        }
    }
    tokio::time::sleep(timeouts.answer).await;
    UpstreamError::AnswerTimeout(timeouts.answer)
}

/// Sends a request of our own on this connection, and takes all of a small answer, within the time that an answer has.
pub(super) async fn ask(
    (host, connection): (&Host, &Shared),
    head: &[u8],
    body: Bytes,
    timeouts: UpstreamTimeouts,
) -> Option<Response<Collected<Bytes>>> {
    let request = read_back(head, host.is_tls(), Outbound::of(&mut Payload::Whole(body)).0)?;
    let mut sender = connection.sender(host, timeouts.connect).await.ok()?;
    let answering = async {
        let (parts, body) = sender.send_request(request).await.ok()?.into_parts();
        Some(Response::from_parts(parts, Limited::new(body, SMALL).collect().await.ok()?))
    };
    tokio::time::timeout(timeouts.answer, answering).await.ok()?
}

fn broken(error: hyper::Error) -> UpstreamError {
    UpstreamError::Broken(io::Error::other(error))
}

/// A head as it was written for HTTP/1.1, for HTTP/2. Section 8.2.2: "An endpoint MUST NOT generate an HTTP/2 message containing
/// connection-specific header fields", and `TE` may say nothing but `trailers`.
fn read_back(head: &[u8], is_tls: bool, body: Outbound) -> Option<Request<Outbound>> {
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let mut start = std::str::from_utf8(lines.next()?).ok()?.split(' ');
    let (method, target) = (start.next()?, start.next()?);
    let mut request = Request::new(body);
    *request.method_mut() = method.parse().ok()?;
    *request.version_mut() = Version::HTTP_2;
    let mut host = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
        let name = HeaderName::from_bytes(name).ok()?;
        let value = HeaderValue::from_bytes(value.get(1..)?.trim_ascii()).ok()?;
        match name {
            header::HOST => host = Some(value),
            header::CONNECTION | header::UPGRADE | header::TRANSFER_ENCODING => {}
            name => drop(request.headers_mut().append(name, value)),
        }
    }
    request.headers_mut().insert(header::TE, HeaderValue::from_static("trailers"));
    let scheme = if is_tls { "https" } else { "http" };
    *request.uri_mut() = Uri::builder().scheme(scheme).authority(host?.to_str().ok()?).path_and_query(target).build().ok()?;
    Some(request)
}

/// The body of a request on its way out. When all of it is sent it is dropped, and with it the word of whose turn it is.
pub(super) struct Outbound {
    source: Source,
    turn: watch::Sender<Turn>,
}

/// Whom the sending of a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Upstream,
    Client,
}

enum Source {
    Whole(Option<Bytes>),
    Streamed(Incoming),
}

impl Outbound {
    /// Takes the body of a request, or a copy where it may be sent again; and whose turn it is from now on.
    fn of(payload: &mut Payload) -> (Self, watch::Receiver<Turn>) {
        let source = match std::mem::replace(payload, Payload::Gone) {
            Payload::Streamed(body, _) => Source::Streamed(body),
            Payload::Whole(body) => {
                *payload = Payload::Whole(body.clone());
                Source::Whole(Some(body).filter(|body| !body.is_empty()))
            }
            Payload::Gone => Source::Whole(None),
        };
        let (turn, of) = watch::channel(Turn::Upstream);
        (Self { source, turn }, of)
    }
}

impl Body for Outbound {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = match &mut self.source {
            Source::Whole(body) => return Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            Source::Streamed(body) => Pin::new(body).poll_frame(cx),
        };
        self.turn.send_replace(if frame.is_pending() { Turn::Client } else { Turn::Upstream });
        frame.map(|frame| frame.map(|frame| frame.map(without_reserved)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Whole(body) => body.is_none(),
            Source::Streamed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole(body) => SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64)),
            Source::Streamed(body) => body.size_hint(),
        }
    }
}

/// What a client may not say in a head it may not say behind the body either.
fn without_reserved(mut frame: Frame<Bytes>) -> Frame<Bytes> {
    if let Some(trailers) = frame.trailers_mut() {
        let gone: Vec<HeaderName> = trailers.keys().filter(|name| strip::is_reserved(name.as_str())).cloned().collect();
        gone.iter().for_each(|name| drop(trailers.remove(name)));
    }
    frame
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn nothing() -> Outbound {
        Outbound { source: Source::Whole(None), turn: watch::Sender::new(Turn::Upstream) }
    }

    #[test]
    fn a_head_is_the_same_in_http_2_but_for_what_is_of_the_connection() {
        let head = b"POST /shop.Orders/Place?a=%2F HTTP/1.1\r\nhost: 127.0.0.1:9002\r\ncookie: a=1\r\nauthorization: Bearer signed\r\n\
                     x-empty: \r\nconnection: upgrade\r\nupgrade: websocket\r\ntransfer-encoding: chunked\r\n\r\n";
        let request = read_back(head, false, nothing()).unwrap();
        assert_eq!(request.uri(), "http://127.0.0.1:9002/shop.Orders/Place?a=%2F");
        let mut fields: Vec<_> = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        fields.sort_unstable();
        assert_eq!(fields, [("authorization", "Bearer signed"), ("cookie", "a=1"), ("te", "trailers"), ("x-empty", "")]);
    }

    /// GWID-001, HTTP-004
    #[test]
    fn trailers_say_no_more_than_a_head_may() {
        let names = ["authorization", "x-user", "x-forwarded-for", "content-length", "checksum"];
        let trailers = HeaderMap::from_iter(names.map(|name| (HeaderName::from_static(name), HeaderValue::from_static("1"))));
        let passed = without_reserved(Frame::trailers(trailers)).into_trailers().unwrap();
        assert_eq!(passed.keys().collect::<Vec<_>>(), ["checksum"]);
    }
}
