//! RFC 9449: Demonstrating Proof of Possession (DPoP).
//!
//! A proof is read in two steps. [`Proof::verify`] says that somebody who holds a key meant this very request; [`Freshness::admit`] says that
//! they mean it now, and for the first time.

mod freshness;
mod target;

use aws_lc_rs::digest::{Context, SHA256, digest};
use durward_base::{Duration, Timestamp, base64url};
use durward_jose::{Algorithm, ClaimError, Claims, JoseError, LEEWAY, SelfSignedJwt, SelfSigners};

use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;

pub use freshness::{Admitted, Freshness, LIFETIME, NotFresh};
pub use target::Target;

/// `dpop_signing_alg_values_supported`: what a proof may be signed with.
pub const ALGORITHMS: [&str; 6] = ["ES256", "ES384", "ES512", "EdDSA", "PS256", "RS256"];

/// How far a client's clock may be off. The time of a proof is its nonce's, which is ours; this only bounds nonsense.
pub const SKEW: Duration = Duration::from_secs(300);

/// The longest `jti` and `nonce`, in bytes.
const LONGEST: usize = 256;

/// A proof whose signature is its own key's, about the request that it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    thumbprint: String,
    algorithm: Algorithm,
    nonce: Option<String>,
    id: [u8; 16],
}

/// Why a text is no proof for its request: `invalid_dpop_proof`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// There is none.
    #[error("a DPoP proof is required: send it in the DPoP header")]
    Missing,
    /// More than one.
    #[error("more than one DPoP proof: send exactly one DPoP header")]
    Several,
    /// Not a JWT that is signed with the public key in its header.
    #[error(transparent)]
    Jose(JoseError),
    /// Another kind of token.
    #[error("the typ of a DPoP proof must be dpop+jwt")]
    Typ,
    /// A claim is missing or malformed.
    #[error(transparent)]
    Claim(ClaimError),
    /// About another method.
    #[error("the DPoP proof's htm is not the method of the request")]
    Method,
    /// About another address.
    #[error("the DPoP proof's htu is not the address of the request")]
    Address,
    /// Made too long ago, or in time to come.
    #[error("the DPoP proof's iat is more than {} s away, or its exp or nbf rules it out", SKEW.as_secs())]
    Time,
    /// About another access token.
    #[error("the DPoP proof's ath is not the hash of the access token")]
    AccessToken,
    /// Used before.
    #[error("the DPoP proof was used before")]
    Replayed,
    /// Made with another key than the token is bound to.
    #[error("the DPoP proof is not of the key that the token is bound to")]
    Key,
}

impl ProofError {
    /// A stable name for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "dpop.missing",
            Self::Several => "dpop.several",
            Self::Jose(_) => "dpop.malformed",
            Self::Typ => "dpop.typ",
            Self::Claim(_) => "dpop.claim",
            Self::Method => "dpop.method_mismatch",
            Self::Address => "dpop.address_mismatch",
            Self::Time => "dpop.time",
            Self::AccessToken => "dpop.access_token_mismatch",
            Self::Replayed => "dpop.replayed",
            Self::Key => "dpop.key_mismatch",
        }
    }
}

impl Proof {
    /// Verifies the proof in a request's `DPoP` headers, in the order of section 4.3. `signers` are the keys seen lately.
    ///
    /// # Errors
    /// `ProofError`.
    pub fn verify(headers: &[&[u8]], target: &Target<'_>, signers: &SelfSigners, now: Timestamp) -> Result<Self, ProofError> {
        // (1) "There is not more than one DPoP HTTP request header field."
        let text = match headers {
            [] => return Err(ProofError::Missing),
            [only] => std::str::from_utf8(only).map_err(|_| ProofError::Jose(JoseError::NotCompact))?,
            _ => return Err(ProofError::Several),
        };
        // (2), (5), (6), (7): a single and well-formed JWT, signed by the public key in its header with that key's asymmetric algorithm.
        let token = SelfSignedJwt::verify(text, signers).map_err(ProofError::Jose)?;
        let claims = token.jwt().claims();
        // (4) "The typ JOSE Header Parameter has the value dpop+jwt."
        if token.jwt().typ() != Some("dpop+jwt") {
            return Err(ProofError::Typ);
        }
        // (3) "All required claims per Section 4.2 are contained in the JWT."
        let jti = required(claims, "jti")?;
        // (8) "The htm claim matches the HTTP method of the current request."
        if required(claims, "htm")? != target.method {
            return Err(ProofError::Method);
        }
        // (9) "The htu claim matches the HTTP URI value for the HTTP request in which the JWT was received, ignoring any query and fragment
        // parts."
        if !target.is_at(required(claims, "htu")?) {
            return Err(ProofError::Address);
        }
        // (11) "The creation time of the JWT, as determined by either the iat claim or a server managed timestamp via the nonce claim, is
        // within an acceptable window."
        let made = claims.timestamp("iat").map_err(ProofError::Claim)?.ok_or_else(|| missing("iat"))?;
        if now.since(made) > SKEW || made.since(now) > SKEW {
            return Err(ProofError::Time);
        }
        // RFC 7519 4.1.4 and 4.1.5: a proof need not say when it ends or begins, but counts as it says.
        let (ends, begins) = (claims.exp().map_err(ProofError::Claim)?, claims.nbf().map_err(ProofError::Claim)?);
        if ends.is_some_and(|ends| now >= ends + LEEWAY) || begins.is_some_and(|begins| begins > now + LEEWAY) {
            return Err(ProofError::Time);
        }
        // (12) "ensure that the value of the ath claim equals the hash of that access token"
        if let Some(access_token) = target.access_token
            && required(claims, "ath")? != base64url::encode(digest(&SHA256, access_token.as_bytes()).as_ref())
        {
            return Err(ProofError::AccessToken);
        }
        let nonce = claims.str("nonce").map_err(ProofError::Claim)?.filter(|nonce| nonce.len() <= LONGEST).map(str::to_owned);
        let algorithm = token.jwt().algorithm();
        Ok(Self { thumbprint: token.thumbprint().to_owned(), algorithm, nonce, id: id(token.thumbprint(), jti) })
    }

    /// The key's thumbprint: `jkt`.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// What it is signed with.
    pub(crate) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What is used up: RFC 9449 11.1, the `jti` of this key. Whatever else the text of the proof says is no part of it.
    pub const fn id(&self) -> [u8; 16] {
        self.id
    }
}

/// RFC 9449 section 10: the key that an authorization request's code is bound to, `dpop_jkt`.
///
/// # Errors
/// `invalid_request` when it is no SHA-256 thumbprint.
pub fn code_key(parameters: &Parameters) -> Result<Option<&str>, OAuthError> {
    let malformed = OAuthError::invalid_request("dpop_jkt.malformed", "dpop_jkt must be a SHA-256 thumbprint in base64url");
    let is_thumbprint = |text: &str| base64url::decode(text).is_some_and(|bytes| bytes.len() == 32);
    parameters.get("dpop_jkt").map(|text| Some(text).filter(|text| is_thumbprint(text)).ok_or(malformed)).transpose()
}

/// RFC 9449 10.1: the key that a pushed authorization request's code is bound to, by `dpop_jkt`, by a proof, or by both.
///
/// # Errors
/// `invalid_dpop_proof`: "If both mechanisms are used at the same time, the authorization server MUST reject the request if
/// the JWK Thumbprint in dpop_jkt does not match the public key in the DPoP header."
pub fn pushed_code_key<'a>(named: Option<&'a str>, proof: Option<&'a Proof>) -> Result<Option<&'a str>, OAuthError> {
    match (named, proof.map(Proof::thumbprint)) {
        (Some(named), Some(proved)) if named != proved => {
            Err(OAuthError::new(ErrorCode::InvalidDpopProof, "dpop.key_mismatch", "dpop_jkt names another key than the DPoP proof"))
        }
        (named, proved) => Ok(named.or(proved)),
    }
}

fn id(thumbprint: &str, jti: &str) -> [u8; 16] {
    let mut context = Context::new(&SHA256);
    context.update(thumbprint.as_bytes());
    context.update(jti.as_bytes());
    let mut id = [0; 16];
    id.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    id
}

fn required<'a>(claims: &'a Claims, name: &str) -> Result<&'a str, ProofError> {
    let text = claims.str(name).map_err(ProofError::Claim)?.ok_or_else(|| missing(name))?;
    let longest = if name == "htu" { 8 * LONGEST } else { LONGEST };
    if text.is_empty() || text.len() > longest {
        return Err(ProofError::Claim(ClaimError::Malformed { name: name.to_owned(), expected: "a text that is not too long" }));
    }
    Ok(text)
}

fn missing(name: &str) -> ProofError {
    ProofError::Claim(ClaimError::Missing { name: name.to_owned() })
}

#[cfg(test)]
mod tests;
