//! Certificate authorities: a root signs intermediates, an intermediate signs the certificates of servers.

use durward_base::{Duration, Rng, SecretBytes, Timestamp};
use rcgen::{CertificateParams, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData as _};
use rustls_pki_types::{PrivatePkcs8KeyDer, ServerName};

use crate::{Certificate, CertificateError, INTERMEDIATE_LIFETIME, profile};

#[cfg(test)]
mod tests;

/// The one trusted authority. It signs intermediates only.
#[derive(Debug)]
pub struct RootAuthority(Authority);

/// Signs the certificates of servers; travels in their chains and is in no trust bundle.
#[derive(Debug)]
pub struct IntermediateAuthority(Authority);

/// A server's certificate with the intermediate that signed it, and its key.
#[derive(Debug, Clone)]
pub struct ServerCertificate {
    /// The server's own certificate.
    pub certificate: Certificate,
    /// What the server sends: its certificate, then the intermediate; the root is the client's.
    pub chain_der: Vec<Vec<u8>>,
    /// The private key as PKCS #8.
    pub key_pkcs8: SecretBytes,
}

/// Why an authority was not made or loaded, or did not issue.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The stored certificate does not read.
    #[error("the authority's certificate: {0}")]
    Certificate(CertificateError),
    /// The stored key does not read.
    #[error("the authority's key is no ECDSA P-256 key in PKCS #8")]
    Key(#[source] rcgen::Error),
    /// The stored key is not the certificate's.
    #[error("the authority's key does not belong to its certificate")]
    KeyMismatch,
    /// The stored certificate is no authority's, or another signed it.
    #[error("the authority's certificate is not one that its issuer signed for an authority")]
    NotIssued,
    /// The authority is past its end.
    #[error("the authority's certificate expired at {0}: issue a new one")]
    Expired(Timestamp),
    /// The name of an authority is empty or too long.
    #[error("an authority's name is 1 to 64 bytes, found {found}")]
    Name {
        /// Bytes found.
        found: usize,
    },
    /// A server without names.
    #[error("a server's certificate needs at least one name")]
    NoNames,
    /// A moment no certificate can express.
    #[error("a certificate cannot express {0}")]
    Time(Timestamp),
    /// Making a key or a signature failed.
    #[error("the certificate could not be made")]
    Issue(#[source] rcgen::Error),
}

impl RootAuthority {
    /// A new root with a new key, trusted for 10 years. `name` should tell it from the roots of other installations.
    ///
    /// # Errors
    /// `Name`, `Time`, `Issue`.
    pub fn create(name: &str, now: Timestamp, rng: &Rng) -> Result<Self, AuthorityError> {
        let key = new_key()?;
        let certificate = profile::root(name, now, rng)?.self_signed(&key).map_err(AuthorityError::Issue)?;
        Authority::new(certificate.der(), key).map(Self)
    }

    /// The root as it was stored.
    ///
    /// # Errors
    /// `Certificate`, `Key`, `KeyMismatch`, `NotIssued`.
    pub fn load(certificate_der: &[u8], key_pkcs8: &SecretBytes) -> Result<Self, AuthorityError> {
        let root = Authority::load(certificate_der, key_pkcs8)?;
        if root.certificate.is_authority_signed_by(&root.certificate) { Ok(Self(root)) } else { Err(AuthorityError::NotIssued) }
    }

    /// A new intermediate with a new key, for 90 days.
    ///
    /// # Errors
    /// `Expired`, `Name`, `Time`, `Issue`.
    pub fn issue_intermediate(&self, name: &str, now: Timestamp, rng: &Rng) -> Result<IntermediateAuthority, AuthorityError> {
        let key = new_key()?;
        let params = profile::intermediate(name, now, self.0.end(now, INTERMEDIATE_LIFETIME)?, rng)?;
        Authority::new(self.0.sign(&params, &key)?.der(), key).map(IntermediateAuthority)
    }

    /// The root's own certificate, for trust bundles.
    pub const fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// The root's private key as PKCS #8, to be stored sealed.
    pub fn key_pkcs8(&self) -> SecretBytes {
        self.0.key_pkcs8()
    }
}

impl IntermediateAuthority {
    /// The intermediate as it was stored, if `root` signed it.
    ///
    /// # Errors
    /// `Certificate`, `Key`, `KeyMismatch`, `NotIssued`.
    pub fn load(certificate_der: &[u8], key_pkcs8: &SecretBytes, root: &Certificate) -> Result<Self, AuthorityError> {
        let intermediate = Authority::load(certificate_der, key_pkcs8)?;
        if intermediate.certificate.is_authority_signed_by(root) { Ok(Self(intermediate)) } else { Err(AuthorityError::NotIssued) }
    }

    /// A certificate for a server of these names, with a new key. It ends after `lifetime`, or with the intermediate if that is sooner.
    ///
    /// # Errors
    /// `Expired`, `NoNames`, `Time`, `Issue`.
    pub fn issue_server(
        &self,
        names: &[ServerName<'static>],
        now: Timestamp,
        lifetime: Duration,
        rng: &Rng,
    ) -> Result<ServerCertificate, AuthorityError> {
        let key = new_key()?;
        let certificate = self.0.sign(&profile::server(names, now, self.0.end(now, lifetime)?, rng)?, &key)?;
        let chain_der = vec![certificate.der().to_vec(), self.0.certificate.der().to_vec()];
        Ok(ServerCertificate { certificate, chain_der, key_pkcs8: SecretBytes::new(key.serialized_der()) })
    }

    /// The intermediate's own certificate.
    pub const fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// The intermediate's private key as PKCS #8, to be stored sealed.
    pub fn key_pkcs8(&self) -> SecretBytes {
        self.0.key_pkcs8()
    }
}

/// A certificate and the key that signs in its name.
#[derive(Debug)]
struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn load(certificate_der: &[u8], key_pkcs8: &SecretBytes) -> Result<Self, AuthorityError> {
        let key = PrivatePkcs8KeyDer::from(key_pkcs8.expose());
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256).map_err(AuthorityError::Key)?;
        Self::new(certificate_der, key)
    }

    fn new(certificate_der: &[u8], key: KeyPair) -> Result<Self, AuthorityError> {
        let certificate = Certificate::from_der(certificate_der).map_err(AuthorityError::Certificate)?;
        if certificate.public_key().as_deref() != Some(key.der_bytes()) {
            return Err(AuthorityError::KeyMismatch);
        }
        let issuer = Issuer::from_ca_cert_der(certificate.der(), key).map_err(AuthorityError::Issue)?;
        Ok(Self { certificate, issuer })
    }

    fn sign(&self, params: &CertificateParams, key: &KeyPair) -> Result<Certificate, AuthorityError> {
        let signed = params.signed_by(key, &self.issuer).map_err(AuthorityError::Issue)?;
        Certificate::from_der(signed.der()).map_err(AuthorityError::Certificate)
    }

    /// The end of a life that begins now: no certificate outlives its issuer's.
    fn end(&self, now: Timestamp, lifetime: Duration) -> Result<Timestamp, AuthorityError> {
        let end = self.certificate.expires();
        if now >= end { Err(AuthorityError::Expired(end)) } else { Ok(end.min(now + lifetime)) }
    }

    fn key_pkcs8(&self) -> SecretBytes {
        SecretBytes::new(self.issuer.key().serialized_der())
    }
}

pub(crate) fn new_key() -> Result<KeyPair, AuthorityError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(AuthorityError::Issue)
}
