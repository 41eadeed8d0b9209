//! JWS, JWE, JWK and JWT over aws-lc-rs, with parsed keys and a per-key algorithm.
//!
//! A token is read in three steps, each its own type, so that none can be left out:
//! [`UnverifiedJwt`] (well-formed, says only what is needed to choose a key) → [`VerifiedJwt`] (signed by that key) →
//! [`VerifiedJwt::check`] (for us, from whom we expect, now).
//!
//! Nobody reads a claim that no key has vouched for:
//! ```compile_fail,E0599
//! let token = durward_jose::UnverifiedJwt::parse("e30.e30.AA").unwrap();
//! token.claims();
//! ```
//! Nobody makes a verified token but by verifying one:
//! ```compile_fail,E0451
//! fn forge(claims: durward_jose::Claims) -> durward_jose::VerifiedJwt {
//!     durward_jose::VerifiedJwt { claims, typ: None, kid: "kid".into(), algorithm: durward_jose::Algorithm::ES256 }
//! }
//! ```
//! A signing key finds its own public half; no caller can pair it with another one (RUSTSEC-2022-0093):
//! ```compile_fail,E0061
//! fn oracle(pkcs8: &[u8], public_key: &[u8]) {
//!     let _ = durward_jose::SigningKey::from_pkcs8(durward_jose::Algorithm::EdDSA, pkcs8, public_key);
//! }
//! ```
//! ```compile_fail,E0061
//! fn oracle(key: &durward_jose::SigningKey, public_key: &durward_jose::VerifyingKey) {
//!     let _ = key.sign_bytes("JWT", b"{}", public_key);
//! }
//! ```

mod algorithm;
mod claims;
mod error;
mod good_signature;
mod hmac_key;
pub mod json;
mod jwe;
mod jwk;
mod jws;
mod jwt;
mod members;
mod rsa;
mod self_signed;
mod signing_key;
mod verifying_key;

pub use algorithm::Algorithm;
pub use claims::{ClaimError, Claims};
pub use error::JoseError;
pub use good_signature::{GoodSignature, token_digest};
pub use hmac_key::HmacKey;
pub use jwe::{ContentEncryption, DecryptionKey, EncryptedJwt, EncryptionKey, KeyManagement};
pub use jwk::{Jwk, JwkSet};
pub use jwt::{Expected, LEEWAY, UnverifiedJwt, VerifiedJwt};
pub use self_signed::{SelfSignedJwt, SelfSigners};
pub use signing_key::SigningKey;
pub use verifying_key::VerifyingKey;
