//! RFC 9449 section 4.2: a JWT that carries the public key it is signed with. It proves that somebody holds that key, and nothing else.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::claims::Claims;
use crate::jws::{Header, Segments};
use crate::{JoseError, Jwk, VerifiedJwt, VerifyingKey};

/// A JWT signed by the key in its own header. Whose key that is, another rule must say: the token it is bound to, or a first sight.
#[derive(Debug, Clone)]
pub struct SelfSignedJwt {
    jwt: VerifiedJwt,
    thumbprint: String,
}

/// The keys of such JWTs, kept by the header that each came in: who signs for each request is read once, and not for each request. Bounded.
#[derive(Default)]
pub struct SelfSigners(Mutex<HashMap<String, Arc<Signer>>>);

/// A header, and the sound key that was in it.
struct Signer {
    header: Header,
    key: VerifyingKey,
    thumbprint: String,
}

impl SelfSignedJwt {
    /// Reads a token as [`UnverifiedJwt::parse`](crate::UnverifiedJwt::parse) does, but that its header must have a `jwk`: a public key
    /// fit for the header's `alg`, which is never symmetric. The signature must be that key's.
    pub fn verify(text: &str, signers: &SelfSigners) -> Result<Self, JoseError> {
        let segments = Segments::of(text)?;
        let known = signers.find(segments.header);
        let is_new = known.is_none();
        let signer = known.map_or_else(|| Signer::read(segments.header).map(Arc::new), Ok)?;
        let jws = segments.under(signer.header.clone())?;
        jws.verify(signer.key.algorithm(), |message, signature| signer.key.verifies(message, signature))?;
        if is_new {
            signers.keep(segments.header, &signer);
        }
        let claims = Claims::parse(&jws.payload()?)?;
        let jwt = VerifiedJwt::new(claims, jws.header.typ, signer.key.kid(), signer.key.algorithm());
        Ok(Self { jwt, thumbprint: signer.thumbprint.clone() })
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

impl SelfSigners {
    /// The most headers kept; past it all are forgotten.
    const MOST: usize = 1_024;
    /// The longest header kept: that of an RSA key of 4096 bits.
    const LONGEST: usize = 1_024;

    fn find(&self, header: &str) -> Option<Arc<Signer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(header).cloned()
    }

    fn keep(&self, header: &str, signer: &Arc<Signer>) {
        if header.len() > Self::LONGEST {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= Self::MOST {
            kept.clear();
        }
        kept.insert(header.to_owned(), Arc::clone(signer));
    }
}

impl Signer {
    fn read(header: &str) -> Result<Self, JoseError> {
        let (header, jwk) = Header::parse(header)?;
        let jwk = jwk.ok_or(JoseError::HeaderMember { name: "jwk", expected: "present" })?;
        let jwk = Jwk::try_from(jwk)?.named(header.algorithm);
        Ok(Self { thumbprint: jwk.thumbprint(), key: VerifyingKey::from_jwk(&jwk)?, header })
    }
}

impl fmt::Debug for SelfSigners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SelfSigners({})", self.0.lock().unwrap_or_else(PoisonError::into_inner).len())
    }
}
