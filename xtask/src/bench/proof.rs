//! RFC 9449: the proofs of a client whose tokens are bound, signed ahead of the load.

use std::time::SystemTime;

use anyhow::Context as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::process::output;

/// A client's key.
pub struct Prover {
    key: EcdsaKeyPair,
    header: String,
    made: u64,
}

impl Prover {
    /// One with a new key.
    pub fn new() -> anyhow::Result<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let (x, y) = key.public_key().as_ref().get(1..).and_then(|point| point.split_at_checked(32)).context("not a point of P-256")?;
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
        let header = encode(json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk }).to_string());
        Ok(Self { key, header, made: 0 })
    }

    /// Another proof for a POST, with the server's nonce once there is one.
    #[expect(clippy::disallowed_methods, reason = "a proof says when it was made, and nothing here is tested against a clock")]
    pub fn proof(&mut self, url: &str, nonce: Option<&str>) -> anyhow::Result<String> {
        self.made += 1;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let mut claims = json!({ "jti": self.made.to_string(), "htm": "POST", "htu": url, "iat": now });
        if let (Some(nonce), Some(claims)) = (nonce, claims.as_object_mut()) {
            claims.insert("nonce".to_owned(), nonce.into());
        }
        let signed = format!("{}.{}", self.header, encode(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes())?;
        Ok(format!("{signed}.{}", encode(signature)))
    }

    /// The nonce that the server has for this client.
    pub fn nonce(&mut self, url: &str, body: &str, user: &str) -> anyhow::Result<String> {
        let proof = format!("DPoP: {}", self.proof(url, None)?);
        let head = output("curl", &["-ksS", "-D-", "-o/dev/null", "-u", user, "-H", &proof, "-d", body, url])?;
        let found = head.lines().find_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("dpop-nonce")));
        Ok(found.with_context(|| format!("no nonce: {head}"))?.1.trim().to_owned())
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
