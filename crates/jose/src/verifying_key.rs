//! RFC 7518 section 6 and RFC 8037: public keys, parsed once, each for one algorithm.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};
use durward_base::base64url;

use crate::{Algorithm, JoseError, Jwk, rsa};

/// A public key that is known to be sound. Cloning it is a reference count.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Inner>);

struct Inner {
    kid: String,
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

impl VerifyingKey {
    /// Takes a published key in. Refused: keys that are not for verifying, of unknown kinds, with an `alg` that contradicts the rest,
    /// with points off their curve, weak RSA keys.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, JoseError> {
        jwk.must_be_for_verifying()?;
        let algorithm = jwk.algorithm()?;
        let key = match algorithm {
            Algorithm::ES256 => point(jwk, 32, &ECDSA_P256_SHA256_FIXED),
            Algorithm::ES384 => point(jwk, 48, &ECDSA_P384_SHA384_FIXED),
            Algorithm::ES512 => point(jwk, 66, &ECDSA_P521_SHA512_FIXED),
            Algorithm::EdDSA => ed25519(jwk),
            Algorithm::PS256 => rsa(jwk, &RSA_PSS_2048_8192_SHA256),
            Algorithm::RS256 => rsa(jwk, &RSA_PKCS1_2048_8192_SHA256),
            Algorithm::HS256 => Err(JoseError::KeyNotPublic { member: "kty" }),
        }?;
        let kid = jwk.kid().map_or_else(|| jwk.own_kid(), str::to_owned);
        Ok(Self(Arc::new(Inner { kid, algorithm, key })))
    }

    /// The `kid` it was published under, or its thumbprint (RFC 7638, SHA-256 cut to 16 bytes, base64url).
    pub fn kid(&self) -> &str {
        &self.0.kid
    }

    /// The one algorithm it verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.key.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({} {})", self.algorithm(), self.kid())
    }
}

/// RFC 7518 section 6.2.1: both coordinates, each of the full size of the curve's field.
fn point(jwk: &Jwk, size: usize, algorithm: &'static dyn VerificationAlgorithm) -> Result<ParsedPublicKey, JoseError> {
    let expected = "a coordinate of the curve's full size, in base64url";
    let mut uncompressed = vec![4];
    for (member, text) in [("x", &jwk.x), ("y", &jwk.y)] {
        let coordinate = decode(text, size).filter(|bytes| bytes.len() == size);
        uncompressed.extend(coordinate.ok_or(JoseError::KeyMember { member, expected })?);
    }
    let off_curve = JoseError::KeyMember { member: "x, y", expected: "a point on the curve" };
    ParsedPublicKey::new(algorithm, uncompressed).map_err(|_| off_curve)
}

/// RFC 8037 section 2.
fn ed25519(jwk: &Jwk) -> Result<ParsedPublicKey, JoseError> {
    let wrong = JoseError::KeyMember { member: "x", expected: "32 bytes in base64url" };
    let bytes = decode(&jwk.x, 32).filter(|bytes| bytes.len() == 32).ok_or(wrong.clone())?;
    ParsedPublicKey::new(&ED25519, bytes).map_err(|_| wrong)
}

/// RFC 7518 section 6.3.1.
fn rsa(jwk: &Jwk, parameters: &'static RsaParameters) -> Result<ParsedPublicKey, JoseError> {
    let n = decode(&jwk.n, 1024).ok_or(JoseError::KeyMember { member: "n", expected: "at most 8192 bits in base64url" })?;
    let e = decode(&jwk.e, 8).ok_or(JoseError::KeyMember { member: "e", expected: "at most 8 bytes in base64url" })?;
    rsa::must_be_strong(&n, &e)?;
    let unsound = JoseError::KeyMember { member: "n, e", expected: "an RSA public key" };
    RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).map_err(|_| unsound)
}

/// At most `size` bytes, the length checked before they are decoded.
fn decode(member: &Option<String>, size: usize) -> Option<Vec<u8>> {
    let text = member.as_deref().filter(|text| text.len() <= (size * 4).div_ceil(3))?;
    base64url::decode(text)
}
