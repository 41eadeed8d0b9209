//! RFC 9449 section 4.2: a JWT that carries the public key it is signed with. It proves that somebody holds that key, and nothing else.

use crate::claims::Claims;
use crate::jws::Compact;
use crate::{JoseError, Jwk, VerifiedJwt, VerifyingKey};

/// A JWT signed by the key in its own header. Whose key that is, another rule must say: the token it is bound to, or a first sight.
#[derive(Debug, Clone)]
pub struct SelfSignedJwt {
    jwt: VerifiedJwt,
    thumbprint: String,
}

impl SelfSignedJwt {
    /// Reads a token as [`UnverifiedJwt::parse`](crate::UnverifiedJwt::parse) does, but that its header must have a `jwk`: a public key
    /// fit for the header's `alg`, which is never symmetric. The signature must be that key's.
    pub fn verify(text: &str) -> Result<Self, JoseError> {
        let (jws, jwk) = Compact::parse_with_key(text)?;
        let jwk = Jwk::try_from(jwk)?.named(jws.header.algorithm);
        let thumbprint = jwk.thumbprint();
        let key = VerifyingKey::from_jwk(&jwk)?;
        jws.verify(key.algorithm(), |message, signature| key.verifies(message, signature))?;
        let claims = Claims::parse(&jws.payload()?)?;
        Ok(Self { jwt: VerifiedJwt::new(claims, jws.header.typ, key.kid(), key.algorithm()), thumbprint })
    }

    /// The token. Its `kid` is the key's, computed, never one that the key came with.
    pub fn jwt(&self) -> &VerifiedJwt {
        &self.jwt
    }

    /// The key's thumbprint: RFC 7638 with SHA-256, base64url, 43 characters; `jkt` in `cnf` (RFC 9449 section 6).
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
}
