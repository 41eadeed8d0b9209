//! RFC 7518 section 4 and RFC 8037 section 3.2: how both sides come to the key of the content.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap as _};
use durward_base::base64url;
use serde::{Deserialize, Serialize};

use super::ContentEncryption;
use crate::{JoseError, Jwk, members};

/// `alg` of an encrypted token. A key has exactly one. RSA1_5, passwords (PBES2) and symmetric keys are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyManagement {
    /// Elliptic-curve Diffie-Hellman; what is agreed on is the key of the content.
    #[serde(rename = "ECDH-ES")]
    EcdhEs,
    /// Elliptic-curve Diffie-Hellman; what is agreed on wraps the key of the content with AES-128.
    #[serde(rename = "ECDH-ES+A128KW")]
    EcdhEsA128Kw,
    /// Elliptic-curve Diffie-Hellman; what is agreed on wraps the key of the content with AES-256.
    #[serde(rename = "ECDH-ES+A256KW")]
    EcdhEsA256Kw,
    /// RSA with optimal asymmetric encryption padding, SHA-256 and MGF1 with SHA-256.
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
}

/// A curve on which keys are agreed on.
pub(super) struct Curve {
    kty: &'static str,
    crv: &'static str,
    /// The size of a coordinate, in bytes.
    size: usize,
    pub(super) agreement: &'static agreement::Algorithm,
}

/// What a header says about the agreement.
#[derive(Clone, Default)]
pub(super) struct Agreement {
    pub(super) ephemeral: Option<(&'static Curve, Vec<u8>)>,
    /// `apu`, the sender.
    pub(super) party_u: Vec<u8>,
    /// `apv`, the recipient.
    pub(super) party_v: Vec<u8>,
}

/// A symmetric key of one message. It is never printed.
pub(super) type ContentKey = Vec<u8>;

impl KeyManagement {
    /// Every one in use.
    pub const ALL: [Self; 4] = [Self::EcdhEs, Self::EcdhEsA128Kw, Self::EcdhEsA256Kw, Self::RsaOaep256];

    /// The name in a JWE header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA128Kw => "ECDH-ES+A128KW",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
            Self::RsaOaep256 => "RSA-OAEP-256",
        }
    }

    /// Encrypts a fresh key of the content under the key agreed on; gives both.
    pub(super) fn encrypt_agreed(
        self,
        encryption: ContentEncryption,
        agreed: impl FnOnce(&[u8], usize) -> Result<Vec<u8>, JoseError>,
    ) -> Result<(ContentKey, Vec<u8>), JoseError> {
        let agreed = self.agreed(encryption, agreed)?;
        let Some(kek) = self.wrapping(&agreed)? else { return Ok((agreed, Vec::new())) };
        let key = fresh(encryption)?;
        let mut wrapped = vec![0; key.len() + 8];
        kek.wrap(&key, &mut wrapped).map_err(|Unspecified| JoseError::Crypto { doing: "wrapping a key" })?;
        Ok((key, wrapped))
    }

    /// Finds the key of the content from the key agreed on.
    pub(super) fn decrypt_agreed(
        self,
        encryption: ContentEncryption,
        encrypted_key: &[u8],
        agreed: impl FnOnce(&[u8], usize) -> Result<Vec<u8>, JoseError>,
    ) -> Result<ContentKey, JoseError> {
        let failed = || JoseError::DecryptionFailed;
        let agreed = self.agreed(encryption, agreed)?;
        match self.wrapping(&agreed)? {
            // RFC 7516 section 5.2 step 10: verify that the JWE Encrypted Key value is an empty octet sequence
            None if encrypted_key.is_empty() => Ok(agreed),
            Some(kek) if encrypted_key.len() == encryption.key_length() + 8 => {
                let mut key = vec![0; encryption.key_length()];
                kek.unwrap(encrypted_key, &mut key).map_err(|Unspecified| failed())?;
                Ok(key)
            }
            _ => Err(failed()),
        }
    }

    /// RFC 7518 section 4.6.2: AlgorithmID is "enc" where the agreed key is the content's, else "alg".
    fn agreed(
        self,
        encryption: ContentEncryption,
        agreed: impl FnOnce(&[u8], usize) -> Result<Vec<u8>, JoseError>,
    ) -> Result<Vec<u8>, JoseError> {
        match self {
            Self::EcdhEs | Self::RsaOaep256 => agreed(encryption.name().as_bytes(), encryption.key_length()),
            Self::EcdhEsA128Kw => agreed(self.name().as_bytes(), 16),
            Self::EcdhEsA256Kw => agreed(self.name().as_bytes(), 32),
        }
    }

    fn wrapping(self, agreed: &[u8]) -> Result<Option<AesKek>, JoseError> {
        let cipher = match self {
            Self::EcdhEs | Self::RsaOaep256 => return Ok(None),
            Self::EcdhEsA128Kw => &AES_128,
            Self::EcdhEsA256Kw => &AES_256,
        };
        AesKek::new(cipher, agreed).map(Some).map_err(|Unspecified| JoseError::Crypto { doing: "wrapping a key" })
    }
}

/// A random key of the content.
pub(super) fn fresh(encryption: ContentEncryption) -> Result<ContentKey, JoseError> {
    let mut key = vec![0; encryption.key_length()];
    aws_lc_rs::rand::fill(&mut key).map_err(|Unspecified| JoseError::Crypto { doing: "making a key" })?;
    Ok(key)
}

impl Agreement {
    /// RFC 7518 section 4.6.2: Concat KDF (NIST SP 800-56A section 5.8.1) with SHA-256 over what Diffie-Hellman gives. Points off the curve
    /// and an all-zero secret give nothing.
    pub(super) fn derive(&self, own: &PrivateKey, peer: &[u8], algorithm_id: &[u8], length: usize) -> Result<Vec<u8>, JoseError> {
        let failed = || JoseError::DecryptionFailed;
        let mut info = Vec::new();
        for part in [algorithm_id, &self.party_u, &self.party_v] {
            info.extend(u32::try_from(part.len()).map_err(|_| failed())?.to_be_bytes());
            info.extend(part);
        }
        // SuppPubInfo: the length of the derived key in bits
        info.extend(u32::try_from(length * 8).map_err(|_| failed())?.to_be_bytes());
        let sha256 = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256).ok_or_else(failed)?;
        agreement::agree(own, UnparsedPublicKey::new(own.algorithm(), peer), failed(), |secret| {
            let mut key = vec![0; length];
            sskdf_digest(sha256, secret, &info, &mut key).map_err(|Unspecified| failed())?;
            Ok(key)
        })
    }
}

impl Curve {
    pub(super) const ALL: &'static [Self] = &[
        Self { kty: "EC", crv: "P-256", size: 32, agreement: &ECDH_P256 },
        Self { kty: "EC", crv: "P-384", size: 48, agreement: &ECDH_P384 },
        Self { kty: "EC", crv: "P-521", size: 66, agreement: &ECDH_P521 },
        Self { kty: "OKP", crv: "X25519", size: 32, agreement: &X25519 },
    ];

    /// The curve that a key says it is on.
    pub(super) fn of(jwk: &Jwk) -> Result<&'static Self, JoseError> {
        let found = Self::ALL.iter().find(|curve| curve.kty == jwk.kty && jwk.crv.as_deref() == Some(curve.crv));
        found.ok_or_else(|| jwk.unsupported())
    }

    /// The public key of a JWK on this curve, as the curve's own encoding: an uncompressed point, or 32 bytes.
    pub(super) fn public(&self, jwk: &Jwk) -> Result<Vec<u8>, JoseError> {
        if self.kty == "OKP" { members::octets(jwk) } else { members::point(jwk, self.size) }
    }

    /// The JWK of a public key in the curve's own encoding.
    pub(super) fn jwk(&self, public: &[u8]) -> Jwk {
        let jwk = Jwk { kty: self.kty.to_owned(), crv: Some(self.crv.to_owned()), ..Jwk::default() };
        if self.kty == "OKP" {
            return Jwk { x: Some(base64url::encode(public)), ..jwk };
        }
        let (x, y) = public.get(1..).unwrap_or_default().split_at_checked(self.size).unwrap_or_default();
        Jwk { x: Some(base64url::encode(x)), y: Some(base64url::encode(y)), ..jwk }
    }
}

impl PartialEq for Curve {
    fn eq(&self, other: &Self) -> bool {
        self.crv == other.crv
    }
}

impl fmt::Display for KeyManagement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KeyManagement {
    type Err = JoseError;

    fn from_str(name: &str) -> Result<Self, JoseError> {
        let found = Self::ALL.into_iter().find(|algorithm| algorithm.name() == name);
        found.ok_or_else(|| JoseError::KeyManagementUnsupported { found: name.chars().take(32).collect() })
    }
}
