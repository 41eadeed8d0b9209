//! RFC 7516: JSON Web Encryption, compact serialization. The only form that is read or written; what it holds is always a signed token
//! (RFC 7519 section 11.2: sign, then encrypt).

mod content;
mod decryption_key;
mod encryption_key;
mod key_management;

pub use content::ContentEncryption;
pub use decryption_key::DecryptionKey;
pub use encryption_key::EncryptionKey;
pub use key_management::KeyManagement;

use key_management::{Agreement, Curve};
use serde_json::Value;

use crate::json::{self, Limits};
use crate::jws::{decode, text};
use crate::{JoseError, Jwk};

/// A well-formed encrypted token. What is inside is not known yet, and nobody has vouched for it when it is.
#[derive(Clone)]
pub struct EncryptedJwt<'a> {
    header: Header,
    protected: &'a str,
    encrypted_key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

#[derive(Clone)]
struct Header {
    algorithm: KeyManagement,
    encryption: ContentEncryption,
    kid: Option<String>,
    agreement: Agreement,
}

impl<'a> EncryptedJwt<'a> {
    const LONGEST: usize = 32 * 1024;

    /// Whether a text has the form of an encrypted token, not that of a signed one.
    pub fn looks_like(text: &str) -> bool {
        text.bytes().filter(|byte| *byte == b'.').take(5).count() == 4
    }

    /// Reads a token strictly: at most 32 KiB, five segments of canonical base64url, a header that is a JSON object without duplicate names,
    /// without `crit` and `zip`, with an `alg` and an `enc` in use.
    pub fn parse(text: &'a str) -> Result<Self, JoseError> {
        if text.len() > Self::LONGEST {
            return Err(JoseError::TooLong { what: "token", found: text.len(), limit: Self::LONGEST });
        }
        let mut segments = text.split('.');
        let mut segment = || segments.next().ok_or(JoseError::NotEncrypted);
        let (protected, encrypted_key, iv, ciphertext, tag) = (segment()?, segment()?, segment()?, segment()?, segment()?);
        if segments.next().is_some() || [protected, iv, ciphertext, tag].contains(&"") {
            return Err(JoseError::NotEncrypted);
        }
        let header = Header::parse(&decode("header", protected)?)?;
        Ok(Self {
            header,
            protected,
            encrypted_key: decode("encrypted key", encrypted_key)?,
            iv: decode("initialization vector", iv)?,
            ciphertext: decode("ciphertext", ciphertext)?,
            tag: decode("authentication tag", tag)?,
        })
    }

    /// The header's `kid`: which of our keys it is encrypted to.
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// How what is inside is encrypted.
    pub fn encryption(&self) -> ContentEncryption {
        self.header.encryption
    }

    /// The token inside, to be read as a signed one: anybody can encrypt to a public key.
    ///
    /// # Errors
    /// [`JoseError::KeyManagementMismatch`] when the header names another algorithm than the key's, [`JoseError::DecryptionFailed`]
    /// for everything else.
    pub fn decrypt(&self, key: &DecryptionKey) -> Result<String, JoseError> {
        String::from_utf8(self.open(key)?).map_err(|_| JoseError::DecryptionFailed)
    }

    fn open(&self, key: &DecryptionKey) -> Result<Vec<u8>, JoseError> {
        let Header { algorithm, encryption, ref agreement, .. } = self.header;
        // RFC 8725 section 3.1: each key MUST be used with exactly one algorithm, and this MUST be checked
        if algorithm != key.algorithm() {
            return Err(JoseError::KeyManagementMismatch { found: algorithm, expected: key.algorithm() });
        }
        let content_key = key.content_key(encryption, agreement, &self.encrypted_key)?;
        encryption.open(&content_key, &self.iv, self.protected.as_bytes(), &self.ciphertext, &self.tag)
    }
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, JoseError> {
        let mut members = json::object(bytes, Limits::TOKEN).map_err(|cause| JoseError::NotJson { part: "header", cause })?;
        // RFC 7516 section 4.1.13: if any of the listed extension Header Parameters are not understood and supported, then the JWE is
        // invalid
        if members.contains_key("crit") {
            return Err(JoseError::CritUnsupported);
        }
        // RFC 8725 section 3.6: compression of data SHOULD NOT be done before encryption
        if members.contains_key("zip") {
            return Err(JoseError::HeaderForbidden { name: "zip" });
        }
        let required = |name| JoseError::HeaderMember { name, expected: "present" };
        let algorithm = text(&mut members, "alg")?.ok_or(required("alg"))?.parse()?;
        let encryption = text(&mut members, "enc")?.ok_or(required("enc"))?.parse()?;
        let kid = text(&mut members, "kid")?;
        let mut octets = |name| text(&mut members, name)?.map(|text| decode(name, &text)).transpose().map(Option::unwrap_or_default);
        let (party_u, party_v) = (octets("apu")?, octets("apv")?);
        let ephemeral = members.remove("epk").map(Self::ephemeral).transpose()?;
        Ok(Self { algorithm, encryption, kid, agreement: Agreement { ephemeral, party_u, party_v } })
    }

    /// RFC 7518 section 4.6.1.1: `epk`, the sender's public key of this one message.
    fn ephemeral(value: Value) -> Result<(&'static Curve, Vec<u8>), JoseError> {
        let jwk = Jwk::try_from(value)?;
        let curve = Curve::of(&jwk)?;
        Ok((curve, curve.public(&jwk)?))
    }
}

#[cfg(test)]
mod vectors;
