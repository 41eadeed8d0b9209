//! RFC 7518 section 6 and RFC 8037: public keys, parsed once, each for one algorithm.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};

use crate::{Algorithm, JoseError, Jwk, members};

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
            Algorithm::ES256 => parsed(members::point(jwk, 32)?, &ECDSA_P256_SHA256_FIXED),
            Algorithm::ES384 => parsed(members::point(jwk, 48)?, &ECDSA_P384_SHA384_FIXED),
            Algorithm::ES512 => parsed(members::point(jwk, 66)?, &ECDSA_P521_SHA512_FIXED),
            Algorithm::EdDSA => parsed(members::octets(jwk)?, &ED25519),
            Algorithm::PS256 => rsa(jwk, &RSA_PSS_2048_8192_SHA256),
            Algorithm::PS384 => rsa(jwk, &RSA_PSS_2048_8192_SHA384),
            Algorithm::PS512 => rsa(jwk, &RSA_PSS_2048_8192_SHA512),
            Algorithm::RS256 => rsa(jwk, &RSA_PKCS1_2048_8192_SHA256),
            Algorithm::RS384 => rsa(jwk, &RSA_PKCS1_2048_8192_SHA384),
            Algorithm::RS512 => rsa(jwk, &RSA_PKCS1_2048_8192_SHA512),
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Err(JoseError::KeyNotPublic { member: "kty" }),
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

    /// Whether it is this very key, parsed once for both.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
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

/// A key of exactly these bytes; what is not on its curve is none.
fn parsed(bytes: Vec<u8>, algorithm: &'static dyn VerificationAlgorithm) -> Result<ParsedPublicKey, JoseError> {
    let off_curve = JoseError::KeyMember { member: "x, y", expected: "a point on the curve" };
    ParsedPublicKey::new(algorithm, bytes).map_err(|_| off_curve)
}

fn rsa(jwk: &Jwk, parameters: &'static RsaParameters) -> Result<ParsedPublicKey, JoseError> {
    let (n, e) = members::modulus_and_exponent(jwk)?;
    let unsound = JoseError::KeyMember { member: "n, e", expected: "an RSA public key" };
    RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).map_err(|_| unsound)
}
