//! RFC 7518 section 5: how the content is encrypted and authenticated.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{constant_time, hmac};
use serde::{Deserialize, Serialize};

use crate::JoseError;

/// `enc`: how a token's content is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ContentEncryption {
    /// AES-128 in Galois/Counter Mode.
    #[serde(rename = "A128GCM")]
    A128Gcm,
    /// AES-256 in Galois/Counter Mode.
    #[serde(rename = "A256GCM")]
    A256Gcm,
    /// AES-128 in CBC mode, authenticated by HMAC with SHA-256.
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
    /// AES-256 in CBC mode, authenticated by HMAC with SHA-512.
    #[serde(rename = "A256CBC-HS512")]
    A256CbcHs512,
}

/// What encrypting gave.
pub(super) struct Sealed {
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

impl ContentEncryption {
    /// Every one in use.
    pub const ALL: [Self; 4] = [Self::A128Gcm, Self::A256Gcm, Self::A128CbcHs256, Self::A256CbcHs512];

    /// The name in a JWE header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A256CbcHs512 => "A256CBC-HS512",
        }
    }

    /// The length of its key, in bytes.
    pub(super) const fn key_length(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm | Self::A128CbcHs256 => 32,
            Self::A256CbcHs512 => 64,
        }
    }

    /// Encrypts under a fresh initialization vector.
    pub(super) fn seal(self, key: &[u8], aad: &[u8], plaintext: &[u8]) -> Result<Sealed, JoseError> {
        let sealed = match self {
            Self::A128Gcm | Self::A256Gcm => self.seal_gcm(key, aad, plaintext),
            Self::A128CbcHs256 | Self::A256CbcHs512 => self.seal_cbc(key, aad, plaintext),
        };
        sealed.map_err(|Unspecified| JoseError::Crypto { doing: "encrypting" })
    }

    /// Authenticates, then decrypts.
    pub(super) fn open(self, key: &[u8], iv: &[u8], aad: &[u8], ciphertext: &[u8], tag: &[u8]) -> Result<Vec<u8>, JoseError> {
        let opened = match self {
            Self::A128Gcm | Self::A256Gcm => self.open_gcm(key, iv, aad, ciphertext, tag),
            Self::A128CbcHs256 | Self::A256CbcHs512 => self.open_cbc(key, iv, aad, ciphertext, tag),
        };
        opened.map_err(|Unspecified| JoseError::DecryptionFailed)
    }

    fn gcm(self, key: &[u8]) -> Result<LessSafeKey, Unspecified> {
        let algorithm = if matches!(self, Self::A128Gcm) { &AES_128_GCM } else { &AES_256_GCM };
        UnboundKey::new(algorithm, key).map(LessSafeKey::new)
    }

    fn seal_gcm(self, key: &[u8], aad: &[u8], plaintext: &[u8]) -> Result<Sealed, Unspecified> {
        let mut iv = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut iv)?;
        let mut ciphertext = plaintext.to_vec();
        let nonce = Nonce::assume_unique_for_key(iv);
        let tag = self.gcm(key)?.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut ciphertext)?;
        Ok(Sealed { iv: iv.to_vec(), ciphertext, tag: tag.as_ref().to_vec() })
    }

    fn open_gcm(self, key: &[u8], iv: &[u8], aad: &[u8], ciphertext: &[u8], tag: &[u8]) -> Result<Vec<u8>, Unspecified> {
        // RFC 7518 section 5.3: use of an Initialization Vector of size 96 bits is REQUIRED; the requested size of the Authentication Tag
        // output MUST be 128 bits
        if tag.len() != 16 {
            return Err(Unspecified);
        }
        let nonce = Nonce::try_assume_unique_for_key(iv)?;
        let mut plaintext = [ciphertext, tag].concat();
        let length = self.gcm(key)?.open_in_place(nonce, Aad::from(aad), &mut plaintext)?.len();
        plaintext.truncate(length);
        Ok(plaintext)
    }

    fn seal_cbc(self, key: &[u8], aad: &[u8], plaintext: &[u8]) -> Result<Sealed, Unspecified> {
        let (mac_key, cipher_key) = self.halves(key)?;
        let mut iv = [0; 16];
        aws_lc_rs::rand::fill(&mut iv)?;
        let mut ciphertext = plaintext.to_vec();
        let context = EncryptionContext::Iv128(FixedLength::from(iv));
        PaddedBlockEncryptingKey::cbc_pkcs7(self.cipher(cipher_key)?)?.less_safe_encrypt(&mut ciphertext, context)?;
        let tag = self.tag(mac_key, &iv, aad, &ciphertext);
        Ok(Sealed { iv: iv.to_vec(), ciphertext, tag })
    }

    fn open_cbc(self, key: &[u8], iv: &[u8], aad: &[u8], ciphertext: &[u8], tag: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let (mac_key, cipher_key) = self.halves(key)?;
        let iv = <[u8; 16]>::try_from(iv).map_err(|_| Unspecified)?;
        // RFC 7518 section 5.2.2.2: if the computed tag and the input tag are not identical, a failure is returned; before anything is
        // decrypted, so that the padding tells nothing
        constant_time::verify_slices_are_equal(&self.tag(mac_key, &iv, aad, ciphertext), tag)?;
        let mut plaintext = ciphertext.to_vec();
        let context = DecryptionContext::Iv128(FixedLength::from(iv));
        let length = PaddedBlockDecryptingKey::cbc_pkcs7(self.cipher(cipher_key)?)?.decrypt(&mut plaintext, context)?.len();
        plaintext.truncate(length);
        Ok(plaintext)
    }

    /// RFC 7518 section 5.2.2.1: the key's first half is for the HMAC, the second for AES.
    fn halves(self, key: &[u8]) -> Result<(&[u8], &[u8]), Unspecified> {
        if key.len() == self.key_length() { key.split_at_checked(key.len() / 2).ok_or(Unspecified) } else { Err(Unspecified) }
    }

    fn cipher(self, key: &[u8]) -> Result<UnboundCipherKey, Unspecified> {
        UnboundCipherKey::new(if matches!(self, Self::A128CbcHs256) { &AES_128 } else { &AES_256 }, key)
    }

    /// RFC 7518 section 5.2.2.1: the HMAC over A, IV, E and AL (the length of A in bits), cut to its first half.
    fn tag(self, key: &[u8], iv: &[u8], aad: &[u8], ciphertext: &[u8]) -> Vec<u8> {
        let algorithm = if matches!(self, Self::A128CbcHs256) { hmac::HMAC_SHA256 } else { hmac::HMAC_SHA512 };
        let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
        for part in [aad, iv, ciphertext, &(aad.len() as u64 * 8).to_be_bytes()] {
            context.update(part);
        }
        let tag = context.sign();
        tag.as_ref().iter().take(key.len()).copied().collect()
    }
}

impl fmt::Display for ContentEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ContentEncryption {
    type Err = JoseError;

    fn from_str(name: &str) -> Result<Self, JoseError> {
        let found = Self::ALL.into_iter().find(|encryption| encryption.name() == name);
        found.ok_or_else(|| JoseError::ContentEncryptionUnsupported { found: name.chars().take(32).collect() })
    }
}
