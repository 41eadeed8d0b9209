//! Step 1. RFC 9110 sections 7 and 10, RFC 9113 section 8: what a request must be before anything else is asked of it, beside what RFC 9112
//! has asked of it already.

use std::net::IpAddr;
use std::sync::Arc;

use durward_net::http1::{Framing, authority, expectation, framing, tokens};
use durward_net::{Peer, PeerCertificate, Problem, RequestedName};
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};

use crate::forward::strip;
use crate::upgrade;
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
    /// The name it asked for in the handshake, where the certificate depends on it.
    pub(crate) requested: Option<Arc<RequestedName>>,
}

impl From<Peer> for Client {
    fn from(peer: Peer) -> Self {
        Self {
            ip: peer.ip(),
            address: peer.ip().map(|ip| ip.to_string()),
            tls: peer.tls,
            certificate: peer.certificate,
            requested: peer.requested,
        }
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
    /// The protocol that the connection is to go on with.
    pub(crate) upgrade: Option<&'a str>,
}

/// The checks, in order.
pub(crate) fn accept(parts: &Parts) -> Result<Accepted<'_>, Problem> {
    size(parts)?;
    method(&parts.method)?;
    target(parts)?;
    let authority = authority(parts)?;
    let framing = match framing(parts)? {
        Some(Framing::Length(length)) => Some(Upload::Length(length)),
        Some(Framing::Chunked(_) | Framing::Close) => Some(Upload::Chunked),
        None => None,
    };
    connection(&parts.headers)?;
    let upgrade = upgrade::asked(parts)?;
    expectation(&parts.headers)?;
    Ok(Accepted { authority, framing, upgrade })
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

/// RFC 9110 section 9.3.6: a gateway is no tunnel. Section 9.3.8: "A client MUST NOT generate fields in a TRACE request containing sensitive
/// data that might be disclosed by the response", and what goes to a service bears an identity.
pub(crate) fn method(method: &Method) -> Result<(), Problem> {
    match *method {
        Method::CONNECT => Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "no_tunnels", "This server makes no tunnels.")),
        Method::TRACE => Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "no_traces", "This server passes no TRACE on.")),
        _ => Ok(()),
    }
}

/// RFC 9112 section 3.2.4: `*` names no resource here.
fn target(parts: &Parts) -> Result<(), Problem> {
    if !parts.uri.path().starts_with('/') {
        return Err(bad("target", "The request's target must be a path."));
    }
    Ok(())
}

/// RFC 9110 section 7.6.1: `Connection` lists fields of this hop. One that lists the gateway's own, so that they be removed, is refused.
fn connection(headers: &HeaderMap) -> Result<(), Problem> {
    for token in tokens(headers, &header::CONNECTION) {
        let harmless = ["close", "keep-alive", "te", "upgrade", "http2-settings", "proxy-connection"];
        if !harmless.iter().any(|known| token.eq_ignore_ascii_case(known))
            && (strip::is_reserved(token) || token.eq_ignore_ascii_case("cookie"))
        {
            return Err(bad("connection", "Connection names a field that is not of this hop."));
        }
    }
    Ok(())
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
