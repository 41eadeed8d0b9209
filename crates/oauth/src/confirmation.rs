//! RFC 7800 section 3.1: `cnf`, the key whose holder alone may use a token: `jkt` (RFC 9449 section 6.1) or `x5t#S256` (RFC 8705 section
//! 3.1).

use durward_jose::{ClaimError, Claims};
use durward_model::BoundKey;
use serde::Serialize;

/// The `cnf` of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confirmation {
    #[serde(skip_serializing_if = "Option::is_none")]
    jkt: Option<String>,
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    x5t: Option<String>,
}

impl From<&BoundKey> for Confirmation {
    fn from(key: &BoundKey) -> Self {
        match key {
            BoundKey::Jwk(thumbprint) => Self { jkt: Some(thumbprint.clone()), x5t: None },
            BoundKey::Certificate(thumbprint) => Self { jkt: None, x5t: Some(thumbprint.clone()) },
        }
    }
}

/// The key that a token is bound to, if it is bound.
///
/// # Errors
/// A `cnf` that is not understood: RFC 7800 section 3.1 would have it ignored, and the token with it be anybody's.
pub fn read(claims: &Claims) -> Result<Option<BoundKey>, ClaimError> {
    let Some(cnf) = claims.object("cnf")? else { return Ok(None) };
    let malformed = || ClaimError::Malformed { name: "cnf".to_owned(), expected: "exactly one of jkt and x5t#S256, a SHA-256 thumbprint" };
    let mut members = cnf.iter();
    match (members.next(), members.next()) {
        (Some((name, serde_json::Value::String(thumbprint))), None) if thumbprint.len() == SHA256_TEXT => match name.as_str() {
            "jkt" => Ok(Some(BoundKey::Jwk(thumbprint.clone()))),
            "x5t#S256" => Ok(Some(BoundKey::Certificate(thumbprint.clone()))),
            _ => Err(malformed()),
        },
        _ => Err(malformed()),
    }
}

/// RFC 6749 section 7.1: how a token that is bound so is presented. RFC 8705 gives certificate-bound tokens no scheme of their own.
pub const fn token_type(key: Option<&BoundKey>) -> &'static str {
    match key {
        Some(BoundKey::Jwk(_)) => "DPoP",
        Some(BoundKey::Certificate(_)) | None => "Bearer",
    }
}

/// The length of a SHA-256 in base64url.
const SHA256_TEXT: usize = 43;
