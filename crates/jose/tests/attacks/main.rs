//! The attacks on JWS, JWK and JWT, a row each with its id. Those that must not compile (JOSE-028, JOSE-051) are doctests of the crate.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

mod claims;
mod encrypted;
mod keys;
mod self_signed;
mod tokens;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use durward_base::base64url;
use durward_jose::{Algorithm, JoseError, SigningKey, UnverifiedJwt, VerifiedJwt, VerifyingKey};

/// An ES256 key, for signing what the crate itself would never sign.
struct Forger {
    raw: EcdsaKeyPair,
    key: SigningKey,
}

impl Forger {
    fn new() -> Self {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        Self { raw: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.to_pkcs8().expose()).unwrap(), key }
    }

    /// A token with exactly this header and payload and a good signature.
    fn sign(&self, header: &str, payload: &str) -> String {
        let input = format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(payload.as_bytes()));
        let signature = self.raw.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", base64url::encode(signature.as_ref()))
    }

    fn accept(&self, token: &str) -> Result<VerifiedJwt, JoseError> {
        accept(token, &self.key.verifying_key())
    }
}

fn accept(token: &str, key: &VerifyingKey) -> Result<VerifiedJwt, JoseError> {
    UnverifiedJwt::parse(token)?.verify(key)
}

/// The stable reason of a refusal, or "accepted".
fn outcome<T>(result: Result<T, JoseError>) -> &'static str {
    result.map_or_else(|error| error.reason(), |_| "accepted")
}
