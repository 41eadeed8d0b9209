//! A client's DPoP key (RFC 9449), and proofs with it, good ones and others.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "what cannot be made here fails the test that wants it")]

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use durward_base::{Timestamp, base64url};
use serde_json::{Value, json};

/// An ES256 key.
pub struct DpopKey(EcdsaKeyPair);

impl DpopKey {
    /// A new one.
    pub fn generate() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
    }

    /// Its public half, as a header has it.
    pub fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        json!({ "kty": "EC", "crv": "P-256", "x": base64url::encode(&point[1..33]), "y": base64url::encode(&point[33..]) })
    }

    /// RFC 7638: `jkt`.
    pub fn thumbprint(&self) -> String {
        let jwk = self.jwk();
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
        base64url::encode(digest(&SHA256, members.as_bytes()).as_ref())
    }

    /// The header of a good proof.
    pub fn header(&self) -> Value {
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() })
    }

    /// A good proof, but for what the server alone knows.
    pub fn proof(&self, (method, url): (&str, &str), nonce: Option<&str>, token: Option<&str>, now: Timestamp) -> String {
        self.sign(&self.header(), &claims((method, url), nonce, token, now))
    }

    /// Any header and claims, signed.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let input = format!("{}.{}", base64url::encode(header.to_string().as_bytes()), base64url::encode(claims.to_string().as_bytes()));
        let signature = self.0.sign(&SystemRandom::new(), input.as_bytes()).expect("a signature");
        format!("{input}.{}", base64url::encode(signature.as_ref()))
    }
}

/// The claims of a proof with a `jti` of its own.
pub fn claims((method, url): (&str, &str), nonce: Option<&str>, token: Option<&str>, now: Timestamp) -> Value {
    let mut id = [0; 16];
    aws_lc_rs::rand::fill(&mut id).expect("randomness");
    let mut claims = json!({ "jti": base64url::encode(&id), "htm": method, "htu": url, "iat": now.seconds() });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    if let Some(token) = token {
        claims["ath"] = base64url::encode(digest(&SHA256, token.as_bytes()).as_ref()).into();
    }
    claims
}
