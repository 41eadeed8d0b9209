//! RFC 9112 sections 4 to 6: the head of an upstream's answer, and how long its body is.

use std::mem::MaybeUninit;

use bytes::{Buf as _, Bytes, BytesMut};
use durward_net::http1::{Chunked, Framing, tokens};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

/// Bytes and fields of an answer's head.
pub(super) const HEAD_BYTES: usize = 64 * 1024;
const HEAD_FIELDS: usize = 100;

/// An answer's head.
#[derive(Debug)]
pub(super) struct AnswerHead {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) framing: Framing,
    /// Whether another request may follow on the connection.
    pub(super) keep_alive: bool,
}

/// Takes a head out of `buffer`, once it is whole.
pub(super) fn take(buffer: &mut BytesMut, method: &Method) -> Result<Option<AnswerHead>, &'static str> {
    if buffer.is_empty() {
        return Ok(None);
    }
    let mut fields = [const { MaybeUninit::uninit() }; HEAD_FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let length = match httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut parsed, buffer, &mut fields) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if buffer.len() > HEAD_BYTES => return Err("the head is too large"),
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err("the head has too many fields"),
        Err(_) => return Err("the head is not HTTP/1.1"),
    };
    let version = parsed.version.unwrap_or_default();
    let status = parsed.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or("the status is out of range")?;
    // A copy, which is short, so that the answer's fields do not hold on to all that was read.
    let head = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
    let mut headers = HeaderMap::with_capacity(parsed.headers.len() + 4);
    let start = buffer.as_ptr() as usize;
    for field in &*parsed.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| "a field has no name")?;
        let at = (field.value.as_ptr() as usize).saturating_sub(start);
        // An empty value's place is not within the head's bytes.
        let value = if field.value.is_empty() { Bytes::new() } else { head.slice(at..at + field.value.len()) };
        headers.append(name, HeaderValue::from_maybe_shared(value).map_err(|_| "a field's value has control characters")?);
    }
    buffer.advance(length);
    let framing = framing(&headers, method, status, version)?;
    let keep_alive = version == 1
        && framing != Framing::Close
        && !tokens(&headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("close"));
    Ok(Some(AnswerHead { status, headers, framing, keep_alive }))
}

/// RFC 9112 section 6.3, with every ambiguity refused.
fn framing(headers: &HeaderMap, method: &Method, status: StatusCode, version: u8) -> Result<Framing, &'static str> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let length = match (lengths.next(), lengths.next()) {
        (None, _) => None,
        (Some(value), None) => Some(number(value.as_bytes()).ok_or("Content-Length is not a number")?),
        (Some(_), Some(_)) => return Err("Content-Length is given twice"),
    };
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = match (codings.next(), codings.next()) {
        (None, _) => false,
        (Some(value), None) if version == 1 && value.as_bytes().eq_ignore_ascii_case(b"chunked") => true,
        _ => return Err("Transfer-Encoding is not exactly `chunked` on HTTP/1.1"),
    };
    if chunked && length.is_some() {
        return Err("Content-Length and Transfer-Encoding are both given");
    }
    if *method == Method::HEAD || status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
        return Ok(Framing::Length(0));
    }
    Ok(match (chunked, length) {
        (true, _) => Framing::Chunked(Chunked::default()),
        (false, Some(length)) => Framing::Length(length),
        (false, None) => Framing::Close,
    })
}

fn number(digits: &[u8]) -> Option<u64> {
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    all_digits.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wire: &str) -> Result<Option<AnswerHead>, &'static str> {
        take(&mut BytesMut::from(wire), &Method::GET)
    }

    #[test]
    fn an_answer_framed_ambiguously_is_refused() {
        // HTTP-009
        for fields in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding : chunked\r\n",
            "X: a\rb\r\n",
            " folded: x\r\n",
        ] {
            let answer = read(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"));
            assert!(answer.is_err(), "{fields}: {answer:?}");
        }
        assert!(read("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(read("hello\r\n\r\n").is_err());
        assert!(read(&format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101))).is_err());
        assert!(read(&format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(HEAD_BYTES))).is_err());
    }

    #[test]
    fn the_body_ends_where_the_head_says() {
        for (fields, framing, keep_alive) in [
            ("Content-Length: 5\r\n", Framing::Length(5), true),
            ("Transfer-Encoding: Chunked\r\n", Framing::Chunked(Chunked::default()), true),
            ("Content-Length: 5\r\nConnection: x, Close\r\n", Framing::Length(5), false),
            ("", Framing::Close, false),
        ] {
            let head = read(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).unwrap().unwrap();
            assert_eq!((head.framing, head.keep_alive), (framing, keep_alive), "{fields}");
        }
        let head = take(&mut BytesMut::from("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nempty:\r\n\r\n"), &Method::HEAD).unwrap().unwrap();
        assert_eq!(head.framing, Framing::Length(0));
        assert_eq!(head.headers["empty"], "");
        assert!(read("HTTP/1.1 200 OK\r\nContent-").unwrap().is_none());
    }
}
