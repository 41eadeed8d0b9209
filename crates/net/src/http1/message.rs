//! RFC 9112 sections 3.2 and 6.3, RFC 9113 section 8.3.1: the one host a request names and the one way its body is framed, with every ambiguity
//! refused, whichever version of HTTP it came over; RFC 9110 sections 8.4 and 10.1.1: what nothing here does with a body.

use std::net::Ipv6Addr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Version};
use http_body::Body;

use super::chunked::Chunked;
use super::framing::Framing;
use super::refused::Refused;

/// The authority that a request names, as sent: `host[:port]`.
///
/// RFC 9112 section 3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host header
/// field and to any request message that contains more than one Host header field line". RFC 9113 section 8.3.1: `:authority` and `Host`
/// must not differ.
pub fn authority(parts: &Parts) -> Result<&str, Refused> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let authority = match (parts.uri.authority(), hosts.next(), hosts.next()) {
        (_, _, Some(_)) => return Err(Refused::Host("The request names its host twice.")),
        (None, None, None) => return Err(Refused::Host("The request names no host.")),
        (Some(authority), None, None) if parts.version == Version::HTTP_2 => authority.as_str(),
        (Some(_), None, None) => return Err(Refused::Host("The request has no Host field.")),
        (Some(authority), Some(host), None) if authority.as_str().as_bytes() == host.as_bytes() => authority.as_str(),
        (Some(_), Some(_), None) => return Err(Refused::Host("The request's target and its Host field name different hosts.")),
        (None, Some(host), None) => host.to_str().map_err(|_| NO_HOST)?,
    };
    if is_authority(authority) { Ok(authority) } else { Err(NO_HOST) }
}

const NO_HOST: Refused = Refused::Host("The request's host is no host.");

/// `host [ ":" port ]` of a name, an IPv4 address or an IPv6 literal: no user, no empty or dot-ended name, no percent-encoding.
pub fn is_authority(text: &str) -> bool {
    let (host, port) = host_and_port(text);
    let is_name = || {
        !host.is_empty()
            && !host.ends_with('.')
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
    };
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = literal.map_or_else(is_name, |literal| literal.parse::<Ipv6Addr>().is_ok());
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|_| port.bytes().all(|byte| byte.is_ascii_digit())))
}

/// The two parts of an authority. An IPv6 literal has colons of its own, in brackets.
pub(crate) fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// How a request's body is framed; `None` when its head announces none.
///
/// RFC 9110 section 9.3.1: content received in a GET request "might lead some implementations to reject the request and close the connection
/// because of its potential as a request smuggling attack". This one does, and so of HEAD.
pub fn framing(parts: &Parts) -> Result<Option<Framing>, Refused> {
    let framing = announced(&parts.headers, parts.version)?;
    let is_read = parts.method == Method::GET || parts.method == Method::HEAD;
    match framing {
        None | Some(Framing::Length(0)) => Ok(framing),
        Some(_) if is_read => Err(Refused::Malformed("A GET or HEAD request has a body.")),
        Some(_) => Ok(framing),
    }
}

/// RFC 9110 section 10.1.1: "A server that receives an Expect field value containing a member other than 100-continue MAY respond with a 417
/// (Expectation Failed) status code". Who is behind might see another member first.
pub fn expectation(headers: &HeaderMap) -> Result<(), Refused> {
    let only = headers.get_all(header::EXPECT).iter().all(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if only { Ok(()) } else { Err(Refused::Expectation) }
}

/// RFC 9110 section 8.4: nothing of our own decodes a body, and what stands in front might read another one in it. Where there is none, there
/// is nothing to decode.
pub fn coding(headers: &HeaderMap, body: &impl Body) -> Result<(), Refused> {
    if headers.contains_key(header::CONTENT_ENCODING) && !body.is_end_stream() { Err(Refused::ContentCoding) } else { Ok(()) }
}

fn announced(headers: &HeaderMap, version: Version) -> Result<Option<Framing>, Refused> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let length = match (lengths.next(), lengths.next()) {
        (None, _) => None,
        (Some(value), None) => Some(number(value).ok_or(Refused::ContentLength("Content-Length is not a number."))?),
        (Some(_), Some(_)) => return Err(Refused::ContentLength("Content-Length is given twice.")),
    };
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = match (codings.next(), codings.next()) {
        (None, _) => false,
        (Some(value), None) if version == Version::HTTP_11 && value.as_bytes().eq_ignore_ascii_case(b"chunked") => true,
        _ => return Err(Refused::TransferEncoding("Transfer-Encoding must be exactly `chunked`, on HTTP/1.1.")),
    };
    match (chunked, length) {
        (true, Some(_)) => Err(Refused::TransferEncoding("Content-Length and Transfer-Encoding are both given.")),
        (true, None) => Ok(Some(Framing::Chunked(Chunked::default()))),
        (false, length) => Ok(length.map(Framing::Length)),
    }
}

/// The comma-separated tokens of a field.
pub fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

fn number(value: &HeaderValue) -> Option<u64> {
    let digits = value.to_str().ok()?;
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}
