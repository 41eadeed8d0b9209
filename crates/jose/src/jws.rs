//! RFC 7515: JSON Web Signature, compact serialization. The only form that is read or written.

use durward_base::base64url;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::json::{self, Limits};
use crate::{Algorithm, JoseError};

/// A well-formed JWS that nobody has vouched for.
#[derive(Clone)]
pub(crate) struct Compact<'a> {
    pub(crate) header: Header,
    pub(crate) text: &'a str,
    payload: &'a str,
    signing_input: &'a str,
    signature: Vec<u8>,
}

/// What is read of a header. Whatever points at a key (`jku`, `x5u`, `x5c`, `x5t`) is not.
#[derive(Clone)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    pub(crate) typ: Option<String>,
}

/// The three segments of a JWS, not decoded.
#[derive(Clone, Copy)]
pub(crate) struct Segments<'a> {
    text: &'a str,
    pub(crate) header: &'a str,
    payload: &'a str,
    signing_input: &'a str,
    signature: &'a str,
}

impl<'a> Segments<'a> {
    const LONGEST: usize = 16 * 1024;

    pub(crate) fn of(text: &'a str) -> Result<Self, JoseError> {
        if text.len() > Self::LONGEST {
            return Err(JoseError::TooLong { what: "token", found: text.len(), limit: Self::LONGEST });
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(JoseError::NotCompact)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JoseError::NotCompact)?;
        if header.is_empty() || payload.is_empty() || payload.contains('.') || signature.is_empty() {
            return Err(JoseError::NotCompact);
        }
        Ok(Self { text, header, payload, signing_input, signature })
    }

    /// The token, whose header is read already.
    pub(crate) fn under(self, header: Header) -> Result<Compact<'a>, JoseError> {
        let Self { text, payload, signing_input, signature, .. } = self;
        Ok(Compact { header, text, payload, signing_input, signature: decode("signature", signature)? })
    }
}

impl<'a> Compact<'a> {
    /// Reads a token whose key is known from elsewhere: one in its header is refused.
    pub(crate) fn parse(text: &'a str) -> Result<Self, JoseError> {
        let segments = Segments::of(text)?;
        match Header::parse(segments.header)? {
            (header, None) => segments.under(header),
            (_, Some(_)) => Err(JoseError::HeaderForbidden { name: "jwk" }),
        }
    }

    pub(crate) fn payload(&self) -> Result<Vec<u8>, JoseError> {
        decode("payload", self.payload)
    }

    /// Whether a key for `algorithm` made the signature, as `verifies(message, signature)` finds out.
    pub(crate) fn verify(&self, algorithm: Algorithm, verifies: impl FnOnce(&[u8], &[u8]) -> bool) -> Result<(), JoseError> {
        // RFC 8725 section 3.1: each key MUST be used with exactly one algorithm, and this MUST be checked
        if self.header.algorithm != algorithm {
            return Err(JoseError::AlgorithmMismatch { found: self.header.algorithm, expected: algorithm });
        }
        if verifies(self.signing_input.as_bytes(), &self.signature) { Ok(()) } else { Err(JoseError::SignatureInvalid) }
    }
}

impl Header {
    /// Reads a header's segment, and the `jwk` in it.
    pub(crate) fn parse(segment: &str) -> Result<(Self, Option<Value>), JoseError> {
        let bytes = decode("header", segment)?;
        let mut members = json::object(&bytes, Limits::TOKEN).map_err(|cause| JoseError::NotJson { part: "header", cause })?;
        // RFC 7515 section 4.1.11: if any of the listed extension Header Parameters are not understood and supported, then the JWS is
        // invalid
        if members.contains_key("crit") {
            return Err(JoseError::CritUnsupported);
        }
        // RFC 7797 section 7: JWTs MUST NOT use "b64": false; RFC 8725 section 3.6: no compression
        for name in ["b64", "zip"] {
            if members.contains_key(name) {
                return Err(JoseError::HeaderForbidden { name });
            }
        }
        let algorithm = text(&mut members, "alg")?.ok_or(JoseError::HeaderMember { name: "alg", expected: "present" })?.parse()?;
        let key = members.remove("jwk");
        Ok((Self { algorithm, kid: text(&mut members, "kid")?, typ: text(&mut members, "typ")? }, key))
    }
}

/// Writes a JWS whose header has exactly `alg`, `typ` and, where it is not empty, `kid`.
pub(crate) fn write(
    algorithm: Algorithm,
    typ: &str,
    kid: &str,
    payload: &[u8],
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, JoseError>,
) -> Result<String, JoseError> {
    #[derive(Serialize)]
    struct Written<'a> {
        alg: &'static str,
        typ: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        kid: &'a str,
    }
    let header = serde_json::to_vec(&Written { alg: algorithm.name(), typ, kid }).map_err(|_| JoseError::ClaimsUnwritable)?;
    let mut token = format!("{}.{}", base64url::encode(&header), base64url::encode(payload));
    let signature = sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&base64url::encode(&signature));
    Ok(token)
}

/// A header member that is a short, printable text when it is there.
pub(crate) fn text(members: &mut Map<String, Value>, name: &'static str) -> Result<Option<String>, JoseError> {
    const LONGEST: usize = 256;
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.len() <= LONGEST && !text.contains(char::is_control) => Ok(Some(text)),
        Some(_) => Err(JoseError::HeaderMember { name, expected: "a string of 1 to 256 bytes without control characters" }),
    }
}

pub(crate) fn decode(part: &'static str, text: &str) -> Result<Vec<u8>, JoseError> {
    base64url::decode(text).ok_or(JoseError::NotBase64url { part })
}

#[cfg(test)]
mod vectors;
