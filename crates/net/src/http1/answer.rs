//! RFC 9112 sections 4, 6 and 7: an answer as bytes.

use std::io;

use bytes::{Buf, Bytes};
use durward_base::Timestamp;
use http::header::{self, HeaderName};
use http::response::Parts;
use http::{HeaderMap, Method, StatusCode, Version};

use super::date;

/// What of the request its answer depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) is_head: bool,
    pub(super) version: Version,
}

impl Asked {
    pub(super) fn of(parts: &http::request::Parts) -> Self {
        Self { is_head: parts.method == Method::HEAD, version: parts.version }
    }
}

/// How an answer's body is told from what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// There is none.
    Nothing,
    /// This many more bytes follow.
    Length(u64),
    /// Chunks, to a client that knows them.
    Chunked,
    /// It ends with the connection.
    Close,
}

impl Sent {
    /// How the body of an answer is sent. `exact` is its length, where the body knows it.
    pub(super) fn of(parts: &Parts, asked: Asked, exact: Option<u64>) -> Self {
        if asked.is_head || is_without_content(parts.status) {
            return Self::Nothing;
        }
        let declared = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        match declared.or(exact) {
            Some(length) => Self::Length(length),
            None if asked.version == Version::HTTP_11 => Self::Chunked,
            None => Self::Close,
        }
    }

    /// A piece of the body, framed.
    ///
    /// # Errors
    /// When the body is longer than its head says.
    pub(super) fn piece(&mut self, data: Bytes) -> io::Result<impl Buf + use<>> {
        let frame = match self {
            Self::Chunked => Some(Bytes::from(format!("{:x}\r\n", data.len()))),
            Self::Length(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or_else(|| io::Error::other("an answer is longer than it says"))?;
                None
            }
            Self::Close | Self::Nothing => None,
        };
        let end = if frame.is_some() { &b"\r\n"[..] } else { b"" };
        Ok(frame.unwrap_or_default().chain(data).chain(end))
    }

    /// What ends the body.
    ///
    /// # Errors
    /// When the body is shorter than its head says.
    pub(super) fn end(self) -> io::Result<&'static [u8]> {
        match self {
            Self::Chunked => Ok(b"0\r\n\r\n"),
            Self::Nothing | Self::Close | Self::Length(0) => Ok(b""),
            Self::Length(_) => Err(io::Error::other("an answer is shorter than it says")),
        }
    }
}

/// RFC 9110 section 6.4.1: no content, and section 8.6: no length of it either but for 304.
fn is_without_content(status: StatusCode) -> bool {
    status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

/// Writes an answer's head. The fields of this hop are ours to say.
pub(super) fn write_head(out: &mut Vec<u8>, parts: &Parts, sent: Sent, keep_alive: bool, now: Timestamp) {
    let Parts { status, headers, .. } = parts;
    out.extend_from_slice(b"HTTP/1.1 ");
    for piece in [status.as_str(), " ", status.canonical_reason().unwrap_or_default(), "\r\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
    let switches = *status == StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in headers {
        if is_ours(name, *status) && !(switches && *name == header::UPGRADE) {
            continue;
        }
        for piece in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(piece);
        }
    }
    say(out, headers, sent);
    match (switches, keep_alive) {
        (true, _) => out.extend_from_slice(b"connection: upgrade\r\n"),
        (false, false) => out.extend_from_slice(b"connection: close\r\n"),
        (false, true) => {}
    }
    if !headers.contains_key(header::DATE) {
        out.extend_from_slice(b"date: ");
        date::write(out, now);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// How long the body is, where the handler did not say it.
fn say(out: &mut Vec<u8>, headers: &HeaderMap, sent: Sent) {
    match sent {
        Sent::Length(length) if !headers.contains_key(header::CONTENT_LENGTH) => {
            out.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
        }
        Sent::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Sent::Length(_) | Sent::Nothing | Sent::Close => {}
    }
}

/// Fields of the connection. RFC 9110 section 8.6: "A server MUST NOT send a Content-Length header field in any response with a status code of
/// 1xx (Informational) or 204 (No Content)."
fn is_ours(name: &HeaderName, status: StatusCode) -> bool {
    match *name {
        header::CONNECTION | header::TRANSFER_ENCODING | header::UPGRADE => true,
        header::CONTENT_LENGTH => status.is_informational() || status == StatusCode::NO_CONTENT,
        _ => name.as_str() == "keep-alive",
    }
}
