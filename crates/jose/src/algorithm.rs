//! RFC 7518 section 3.1 and RFC 8037 section 3.1: the signature algorithms in use. `none` is not among them and cannot be said.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use serde::{Deserialize, Serialize};

use crate::JoseError;

/// How a token is signed. A key has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// ECDSA on P-521 with SHA-512.
    ES512,
    /// Ed25519.
    EdDSA,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    PS256,
    /// RSASSA-PSS with SHA-384 and a salt of 48 bytes.
    PS384,
    /// RSASSA-PSS with SHA-512 and a salt of 64 bytes.
    PS512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// HMAC with SHA-256; an [`HmacKey`](crate::HmacKey) only.
    HS256,
    /// HMAC with SHA-384; an [`HmacKey`](crate::HmacKey) only.
    HS384,
    /// HMAC with SHA-512; an [`HmacKey`](crate::HmacKey) only.
    HS512,
}

impl Algorithm {
    /// Those of public keys: what others may sign with.
    pub const ASYMMETRIC: [Self; 10] =
        [Self::ES256, Self::ES384, Self::ES512, Self::EdDSA, Self::PS256, Self::PS384, Self::PS512, Self::RS256, Self::RS384, Self::RS512];

    /// Those of shared secrets: who verifies could have signed.
    pub const SYMMETRIC: [Self; 3] = [Self::HS256, Self::HS384, Self::HS512];

    /// The name in a JWS header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
        }
    }

    /// The `kty` of its keys.
    pub(crate) const fn key_type(self) -> &'static str {
        match self {
            Self::ES256 | Self::ES384 | Self::ES512 => "EC",
            Self::EdDSA => "OKP",
            Self::PS256 | Self::PS384 | Self::PS512 | Self::RS256 | Self::RS384 | Self::RS512 => "RSA",
            Self::HS256 | Self::HS384 | Self::HS512 => "oct",
        }
    }

    /// The `crv` of its keys, where they have one.
    pub(crate) const fn curve(self) -> Option<&'static str> {
        match self {
            Self::ES256 => Some("P-256"),
            Self::ES384 => Some("P-384"),
            Self::ES512 => Some("P-521"),
            Self::EdDSA => Some("Ed25519"),
            _ => None,
        }
    }

    /// The hash it signs; for EdDSA the one inside Ed25519.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        let hash = match self {
            Self::ES256 | Self::PS256 | Self::RS256 | Self::HS256 => &SHA256,
            Self::ES384 | Self::PS384 | Self::RS384 | Self::HS384 => &SHA384,
            Self::ES512 | Self::PS512 | Self::RS512 | Self::HS512 | Self::EdDSA => &SHA512,
        };
        digest(hash, bytes).as_ref().to_vec()
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = JoseError;

    /// Names are case-sensitive (RFC 7515 section 4.1.1).
    fn from_str(name: &str) -> Result<Self, JoseError> {
        Self::ASYMMETRIC
            .into_iter()
            .chain(Self::SYMMETRIC)
            .find(|algorithm| algorithm.name() == name)
            .ok_or_else(|| JoseError::AlgorithmUnsupported { found: name.chars().take(32).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_is_read_back_from_its_name_and_from_json() {
        for algorithm in Algorithm::ASYMMETRIC.into_iter().chain(Algorithm::SYMMETRIC) {
            assert_eq!(algorithm.to_string().parse::<Algorithm>(), Ok(algorithm));
            assert_eq!(serde_json::from_str::<Algorithm>(&format!("\"{algorithm}\"")).unwrap(), algorithm);
        }
    }

    #[test]
    fn a_name_in_other_letters_is_no_algorithm() {
        for name in ["none", "None", "NONE", "", "es256", "ES256 ", "hs384", "RSA1_5"] {
            assert!(name.parse::<Algorithm>().is_err(), "{name}");
        }
    }
}
