//! Step 1. RFC 9112 sections 2 to 7 and RFC 9113 section 8: what a request must be before anything else is asked of it.
//!
//! hyper has parsed it and forgives more than we do; whatever of that can still be seen here is refused, and the connection closed.

use std::net::{IpAddr, Ipv6Addr};

use durward_net::{Peer, PeerCertificate, Problem};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode, Version};

use crate::forward::strip;
use crate::upstream::Upload;

/// Fields of a request, and bytes of its target.
const FIELDS: usize = 100;
const TARGET: usize = 8 * 1024;

/// The other end of a connection, for all its requests.
pub(crate) struct Client {
    pub(crate) ip: Option<IpAddr>,
    /// The same as text.
    pub(crate) address: Option<String>,
    pub(crate) tls: bool,
    /// The certificate whose key it proved, if it did.
    pub(crate) certificate: Option<PeerCertificate>,
}

impl From<Peer> for Client {
    fn from(peer: Peer) -> Self {
        Self { ip: peer.ip(), address: peer.ip().map(|ip| ip.to_string()), tls: peer.tls, certificate: peer.certificate }
    }
}

impl Client {
    /// Its certificate, in DER.
    pub(crate) fn certificate_der(&self) -> Option<&[u8]> {
        self.certificate.as_ref().map(PeerCertificate::der)
    }
}

/// What the checks found out: the one authority, and how the body is framed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Accepted<'a> {
    /// `host[:port]`, as sent.
    pub(crate) authority: &'a str,
    pub(crate) framing: Option<Upload>,
}

/// The checks, in order.
pub(crate) fn accept(parts: &Parts) -> Result<Accepted<'_>, Problem> {
    size(parts)?;
    method(parts)?;
    let authority = authority(parts)?;
    let framing = framing(parts)?;
    connection(&parts.headers)?;
    expectation(&parts.headers)?;
    Ok(Accepted { authority, framing })
}

fn size(parts: &Parts) -> Result<(), Problem> {
    if parts.headers.len() > FIELDS {
        return Err(refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too_many_fields", "The request has more than 100 header fields."));
    }
    if parts.uri.path_and_query().is_some_and(|target| target.as_str().len() > TARGET) {
        return Err(refuse(StatusCode::URI_TOO_LONG, "target_too_long", "The request's target is longer than 8 KiB."));
    }
    Ok(())
}

/// RFC 9110 section 9.3.6: a gateway is no tunnel. RFC 9112 section 3.2.4: `*` names no resource here.
fn method(parts: &Parts) -> Result<(), Problem> {
    if parts.method == Method::CONNECT {
        return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "no_tunnels", "This server makes no tunnels."));
    }
    if !parts.uri.path().starts_with('/') {
        return Err(bad("target", "The request's target must be a path."));
    }
    Ok(())
}

/// RFC 9112 section 3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host header
/// field and to any request message that contains more than one Host header field line". RFC 9113 section 8.3.1: `:authority` and `Host`
/// must not differ.
fn authority(parts: &Parts) -> Result<&str, Problem> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let authority = match (parts.uri.authority(), hosts.next(), hosts.next()) {
        (_, _, Some(_)) => return Err(bad("host", "The request names its host twice.")),
        (None, None, None) => return Err(bad("host", "The request names no host.")),
        (Some(authority), None, None) if parts.version == Version::HTTP_2 => authority.as_str(),
        (Some(_), None, None) => return Err(bad("host", "The request has no Host field.")),
        (Some(authority), Some(host), None) if authority.as_str().as_bytes() == host.as_bytes() => authority.as_str(),
        (Some(_), Some(_), None) => return Err(bad("host", "The request's target and its Host field name different hosts.")),
        (None, Some(host), None) => host.to_str().map_err(|_| bad("host", "The request's host is no host."))?,
    };
    if is_authority(authority) { Ok(authority) } else { Err(bad("host", "The request's host is no host.")) }
}

/// `host [ ":" port ]` of a name, an IPv4 address or an IPv6 literal: no user, no empty or dot-ended name, no percent-encoding.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_name =
        || !host.is_empty() && !host.ends_with('.') && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = literal.map_or_else(is_name, |literal| literal.parse::<Ipv6Addr>().is_ok());
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|_| port.bytes().all(|byte| byte.is_ascii_digit())))
}

/// RFC 9112 section 6.3, with every ambiguity refused. hyper has already let go one of two lengths; two of a kind are seen here.
fn framing(parts: &Parts) -> Result<Option<Upload>, Problem> {
    let mut lengths = parts.headers.get_all(header::CONTENT_LENGTH).iter();
    let length = match (lengths.next(), lengths.next()) {
        (None, _) => None,
        (Some(value), None) => Some(number(value).ok_or_else(|| bad("content_length", "Content-Length is not a number."))?),
        (Some(_), Some(_)) => return Err(bad("content_length", "Content-Length is given twice.")),
    };
    let mut codings = parts.headers.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = match (codings.next(), codings.next()) {
        (None, _) => false,
        (Some(value), None) if parts.version == Version::HTTP_11 && value.as_bytes().eq_ignore_ascii_case(b"chunked") => true,
        _ => return Err(bad("transfer_encoding", "Transfer-Encoding must be exactly `chunked`, on HTTP/1.1.")),
    };
    match (chunked, length) {
        (true, Some(_)) => Err(bad("transfer_encoding", "Content-Length and Transfer-Encoding are both given.")),
        (true, None) => Ok(Some(Upload::Chunked)),
        (false, length) => Ok(length.map(Upload::Length)),
    }
}

/// RFC 9110 section 7.6.1: `Connection` lists fields of this hop. One that lists the gateway's own, so that they be removed, is refused.
/// Upgrades (RFC 9110 section 7.8) are refused: a tunnel would outlive the decision about its first request.
fn connection(headers: &HeaderMap) -> Result<(), Problem> {
    for token in tokens(headers, &header::CONNECTION) {
        let harmless = ["close", "keep-alive", "te", "upgrade", "http2-settings", "proxy-connection"];
        if !harmless.iter().any(|known| token.eq_ignore_ascii_case(known))
            && (strip::is_reserved(token) || token.eq_ignore_ascii_case("cookie"))
        {
            return Err(bad("connection", "Connection names a field that is not of this hop."));
        }
    }
    // RFC 9110 section 7.8: "A server MAY ignore a received Upgrade header field"; h2c is only ever an offer.
    if tokens(headers, &header::UPGRADE).any(|token| !token.eq_ignore_ascii_case("h2c")) {
        return Err(refuse(StatusCode::NOT_IMPLEMENTED, "no_upgrades", "This server upgrades no connections."));
    }
    Ok(())
}

/// RFC 9110 section 10.1.1.
fn expectation(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::EXPECT) {
        Some(value) if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            Err(refuse(StatusCode::EXPECTATION_FAILED, "expectation", "Only `100-continue` may be expected."))
        }
        _ => Ok(()),
    }
}

/// The comma-separated tokens of a field.
pub(crate) fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

fn number(value: &HeaderValue) -> Option<u64> {
    let digits = value.to_str().ok()?;
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok()).flatten()
}

/// A refusal after which the connection is closed: what follows on it cannot be told apart from what came.
fn refuse(status: StatusCode, code: &'static str, detail: &'static str) -> Problem {
    Problem::new(status, code, detail).header(header::CONNECTION, HeaderValue::from_static("close"))
}

fn bad(code: &'static str, detail: &'static str) -> Problem {
    refuse(StatusCode::BAD_REQUEST, code, detail)
}

#[cfg(test)]
mod tests;
