//! The roots a client trusts: no intermediates, so that renewing one changes no bundle.

use durward_base::{Rng, Secret};
use rustls_pki_types::pem::{PemObject as _, SectionKind};

use crate::{Certificate, CertificateError, pkcs12};

#[cfg(test)]
mod tests;

/// One or more root certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustBundle(Vec<Certificate>);

/// Why certificates are no trust bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustBundleError {
    /// A bundle of nothing trusts nothing.
    #[error("a trust bundle needs at least one root certificate, found none")]
    Empty,
    /// More than any bundle we accept.
    #[error("a trust bundle is at most {MAX_ROOTS} certificates in {MAX_PEM} bytes of PEM")]
    TooLarge,
    /// Not PEM.
    #[error("not PEM text")]
    Pem,
    /// A key or something else that has no place in a bundle.
    #[error("section {section} of the trust bundle is no certificate")]
    NotACertificate {
        /// Counted from 1.
        section: usize,
    },
    /// A section that does not read.
    #[error("certificate {section} of the trust bundle: {source}")]
    Certificate {
        /// Counted from 1.
        section: usize,
        /// What is wrong with it.
        source: CertificateError,
    },
    /// An intermediate or a server's certificate.
    #[error("certificate {section} of the trust bundle ({name}) is no root: a bundle holds self-signed authorities only")]
    NotARoot {
        /// Counted from 1.
        section: usize,
        /// Its common name.
        name: String,
    },
}

impl TrustBundle {
    /// Takes root certificates.
    ///
    /// # Errors
    /// `Empty`, `TooLarge`, `NotARoot`.
    pub fn new(roots: Vec<Certificate>) -> Result<Self, TrustBundleError> {
        if roots.is_empty() {
            return Err(TrustBundleError::Empty);
        }
        if roots.len() > MAX_ROOTS {
            return Err(TrustBundleError::TooLarge);
        }
        match (1..).zip(&roots).find(|(_, root)| !root.is_authority_signed_by(root)) {
            Some((section, other)) => {
                Err(TrustBundleError::NotARoot { section, name: other.common_name().unwrap_or("unnamed").to_owned() })
            }
            None => Ok(Self(roots)),
        }
    }

    /// Reads PEM text that holds root certificates and nothing else.
    ///
    /// # Errors
    /// `TrustBundleError`.
    pub fn from_pem(pem: &str) -> Result<Self, TrustBundleError> {
        if pem.len() > MAX_PEM {
            return Err(TrustBundleError::TooLarge);
        }
        let mut roots = Vec::new();
        for (section, item) in (1..).zip(<(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes())) {
            let (kind, der) = item.map_err(|_| TrustBundleError::Pem)?;
            if kind != SectionKind::Certificate {
                return Err(TrustBundleError::NotACertificate { section });
            }
            roots.push(Certificate::from_der(&der).map_err(|source| TrustBundleError::Certificate { section, source })?);
        }
        Self::new(roots)
    }

    /// The roots.
    pub fn roots(&self) -> &[Certificate] {
        &self.0
    }

    /// All roots as PEM text.
    pub fn to_pem(&self) -> String {
        self.0.iter().map(Certificate::to_pem).collect()
    }

    /// All roots as a PKCS #12 truststore, which Java reads as `javax.net.ssl.trustStoreType=PKCS12` with this password.
    pub fn to_pkcs12(&self, password: &Secret, rng: &Rng) -> Vec<u8> {
        pkcs12::truststore(&self.0, password, &rng.bytes())
    }
}

const MAX_ROOTS: usize = 64;
const MAX_PEM: usize = 256 * 1024;
