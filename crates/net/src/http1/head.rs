//! RFC 9112 sections 2, 3 and 5: the head of a request.
//!
//! Lines end in CR LF and nothing else, lines are not folded, and nothing stands before the request line: section 2.2 lets a server pass over an
//! empty line there, and we do not.

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::Scheme;
use http::{Method, Request, Uri, Version};

use super::framing::Framing;
use super::message::{authority, framing, tokens};
use super::refused::Refused;

/// Fields of a request, and bytes of its target.
const FIELDS: usize = 100;
const TARGET: usize = 8 * 1024;

/// The head of a request, and what it says of the rest.
#[derive(Debug)]
pub struct RequestHead {
    /// Method, target, version, fields. They share the bytes that came.
    pub parts: Parts,
    /// How its body is framed; `None` when there is none.
    pub framing: Option<Framing>,
    /// Whether another request may follow on the connection.
    pub keep_alive: bool,
    /// RFC 9110 section 10.1.1: whether the client waits for an interim answer before it sends the body.
    pub expects_continue: bool,
}

/// Finds heads in what comes in, each byte looked at once however slowly it comes.
#[derive(Debug, Default)]
pub struct HeadReader {
    scanned: usize,
    lines: usize,
}

impl HeadReader {
    /// Takes the next head out of `buffer`, once it is whole; heads have up to `limit` bytes.
    ///
    /// # Errors
    /// `Refused`, as soon as what came can be no head.
    pub fn take(&mut self, buffer: &mut BytesMut, limit: usize) -> Result<Option<RequestHead>, Refused> {
        let Some(end) = self.end(buffer, limit)? else { return Ok(None) };
        // The empty line and the request's own are no fields.
        let fields = std::mem::take(self).lines.saturating_sub(2);
        let head = if end == buffer.len() { std::mem::take(buffer) } else { buffer.split_to(end) };
        parse(&head.freeze(), fields).map(Some)
    }

    /// Where the head ends. Every line end on the way is CR LF.
    fn end(&mut self, buffer: &[u8], limit: usize) -> Result<Option<usize>, Refused> {
        // What speaks another protocol need not come to a line end to be told so.
        if !buffer.first().is_none_or(u8::is_ascii_alphabetic) {
            return Err(Refused::Malformed("A request begins with a method."));
        }
        while let Some(found) = buffer.get(self.scanned..).and_then(|rest| memchr::memchr(b'\n', rest)) {
            let end = self.scanned + found + 1;
            let read = buffer.get(..end).unwrap_or_default();
            if !read.ends_with(b"\r\n") {
                return Err(Refused::Malformed("A line ends in a bare line feed."));
            }
            (self.scanned, self.lines) = (end, self.lines + 1);
            if self.lines == 1 && end > TARGET + 64 {
                return Err(Refused::TargetTooLong);
            }
            if end > limit {
                return Err(Refused::HeadTooLarge);
            }
            if read.ends_with(b"\r\n\r\n") {
                return Ok(Some(end));
            }
            if self.lines > FIELDS + 1 {
                return Err(Refused::TooManyFields);
            }
        }
        self.scanned = buffer.len();
        match (self.lines, buffer.len()) {
            (0, length) if length > TARGET + 64 => Err(Refused::TargetTooLong),
            (_, length) if length > limit => Err(Refused::HeadTooLarge),
            _ => Ok(None),
        }
    }
}

fn parse(head: &Bytes, fields: usize) -> Result<RequestHead, Refused> {
    let mut rest = head.as_ref();
    let mut parts = Request::new(()).into_parts().0;
    request_line(head, line(&mut rest), &mut parts)?;
    // A little room for what handlers add.
    parts.headers = HeaderMap::with_capacity(fields + 2);
    loop {
        let line = line(&mut rest);
        if line.is_empty() {
            break;
        }
        let (name, value) = field(head, line)?;
        parts.headers.append(name, value);
    }
    authority(&parts)?;
    let framing = framing(&parts)?;
    let closes = || tokens(&parts.headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("close"));
    let keep_alive = parts.version == Version::HTTP_11 && !closes();
    let expectation = parts.headers.get(header::EXPECT);
    let expects_continue =
        parts.version == Version::HTTP_11 && expectation.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    Ok(RequestHead { framing, keep_alive, expects_continue, parts })
}

/// Section 3: `request-line = method SP request-target SP HTTP-version`.
fn request_line(head: &Bytes, line: &[u8], parts: &mut Parts) -> Result<(), Refused> {
    const LINE: Refused = Refused::Malformed("The request line is not `method target HTTP/1.1`.");
    let (method, rest) = split_once(line, b' ').ok_or(LINE)?;
    let (target, version) = split_once(rest, b' ').ok_or(LINE)?;
    parts.version = match version {
        b"HTTP/1.1" => Version::HTTP_11,
        b"HTTP/1.0" => Version::HTTP_10,
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            return Err(Refused::Version);
        }
        _ => return Err(LINE),
    };
    // Methods differ by case; none that is known has small letters or anything else a token may have.
    let known = method.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-');
    parts.method = Method::from_bytes(method).ok().filter(|_| known).ok_or(Refused::Malformed("The request's method is none."))?;
    if target.len() > TARGET {
        return Err(Refused::TargetTooLong);
    }
    parts.uri = request_target(head, target, &parts.method)?;
    Ok(())
}

/// Section 3.2: origin-form; absolute-form of `http` and `https`; `*` of OPTIONS; authority-form of CONNECT.
fn request_target(head: &Bytes, target: &[u8], method: &Method) -> Result<Uri, Refused> {
    const TARGET: Refused = Refused::Malformed("The request's target is none.");
    if !target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#') {
        return Err(TARGET);
    }
    let uri = Uri::from_maybe_shared(head.slice_ref(target)).map_err(|_| TARGET)?;
    let known = uri.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    let well_formed = match target {
        [b'/', ..] => true,
        b"*" => *method == Method::OPTIONS,
        _ if *method == Method::CONNECT => uri.scheme().is_none() && uri.authority().is_some(),
        _ => known && uri.authority().is_some(),
    };
    if well_formed { Ok(uri) } else { Err(TARGET) }
}

/// Section 5: `field-line = field-name ":" OWS field-value OWS`. "No whitespace is allowed between the field name and colon": that name is no
/// token, nor is that of a folded line.
fn field(head: &Bytes, line: &[u8]) -> Result<(HeaderName, HeaderValue), Refused> {
    let (name, value) = split_once(line, b':').ok_or(Refused::Malformed("A field line has no colon."))?;
    let name = HeaderName::from_bytes(name).map_err(|_| Refused::Malformed("A field's name is no token."))?;
    if poses_as_framing(name.as_str()) {
        return Err(Refused::Malformed("A field's name is that of a framing field but for its separators."));
    }
    let value = HeaderValue::from_maybe_shared(head.slice_ref(trim(value)));
    Ok((name, value.map_err(|_| Refused::Malformed("A field's value has control characters."))?))
}

/// Whether a name is taken for `Content-Length` or `Transfer-Encoding` where separators do not count: `Content_Length`.
fn poses_as_framing(name: &str) -> bool {
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING].iter().any(|framing| {
        let letters = |text| str::bytes(text).filter(u8::is_ascii_alphanumeric);
        name.len() >= framing.as_str().len() - 1 && name != framing.as_str() && letters(name).eq(letters(framing.as_str()))
    })
}

/// The next line, without its CR LF; empty at the end.
fn line<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
    let (line, after) = rest.split_at_checked(end).unwrap_or_default();
    *rest = after;
    line.strip_suffix(b"\r\n").unwrap_or_default()
}

fn split_once(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(at, bytes)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

/// Without optional whitespace, which is spaces and tabs.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests;
