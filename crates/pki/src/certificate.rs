//! RFC 5280: X.509 certificates as read, and RFC 7468: their text form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durward_base::Timestamp;
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// A well-formed certificate and what we read of it. Nothing is said of who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: CertificateDer<'static>,
    serial: Vec<u8>,
    common_name: Option<String>,
    not_before: Timestamp,
    expires: Timestamp,
}

/// Why bytes are no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Larger than any certificate we accept.
    #[error("a certificate is at most {MAX_DER} bytes, found {found}")]
    TooLarge {
        /// Bytes found.
        found: usize,
    },
    /// Not one DER-encoded X.509 certificate, or more than one.
    #[error("not a DER-encoded X.509 certificate")]
    Malformed,
}

impl Certificate {
    /// Reads one certificate, strictly: nothing may follow it.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed`.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let parsed = parse(der)?;
        Ok(Self {
            serial: parsed.raw_serial().to_vec(),
            common_name: parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).map(str::to_owned),
            not_before: Timestamp::from_seconds(parsed.validity().not_before.timestamp()),
            expires: Timestamp::from_seconds(parsed.validity().not_after.timestamp()),
            der: CertificateDer::from(der.to_vec()),
        })
    }

    /// The certificate itself.
    pub const fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// The serial number as an unsigned big-endian number in DER's form.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// The subject's common name, where there is one.
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// The first moment it is valid.
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// The last second it is valid.
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// When to replace it: at half its life.
    pub fn renew_at(&self) -> Timestamp {
        self.not_before + self.expires.since(self.not_before) / 2
    }

    /// RFC 7468 section 5.1: one `CERTIFICATE` section with lines of 64 characters.
    pub fn to_pem(&self) -> String {
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        for (position, character) in STANDARD.encode(&self.der).chars().enumerate() {
            pem.extend((position > 0 && position % 64 == 0).then_some('\n'));
            pem.push(character);
        }
        pem + "\n-----END CERTIFICATE-----\n"
    }

    /// Whether this certificate says it is an authority's, and bears the signature of `issuer`.
    pub(crate) fn is_authority_signed_by(&self, issuer: &Certificate) -> bool {
        let (Ok(this), Ok(issuer)) = (parse(&self.der), parse(&issuer.der)) else { return false };
        this.is_ca() && this.issuer().as_raw() == issuer.subject().as_raw() && this.verify_signature(Some(issuer.public_key())).is_ok()
    }

    /// The bytes of the public key's bit string.
    pub(crate) fn public_key(&self) -> Option<Vec<u8>> {
        parse(&self.der).ok().map(|parsed| parsed.public_key().subject_public_key.data.to_vec())
    }
}

pub(crate) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    if der.len() > MAX_DER {
        return Err(CertificateError::TooLarge { found: der.len() });
    }
    match X509Certificate::from_der(der) {
        Ok(([], parsed)) => Ok(parsed),
        Ok(_) | Err(_) => Err(CertificateError::Malformed),
    }
}

const MAX_DER: usize = 16 * 1024;
