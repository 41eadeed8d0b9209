//! RFC 6066 section 3: certificates that somebody else issued, shown to clients who ask for a name that they are for.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::verify_server_name;
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use crate::tls::{TlsError, certificates, provider};

/// A chain and its key.
#[derive(Debug, Clone)]
pub struct NamedCertificate(Arc<CertifiedKey>);

impl NamedCertificate {
    /// From a chain in PEM, leaf first, and the leaf's key in PEM: PKCS#8, SEC1 or PKCS#1.
    ///
    /// # Errors
    /// What does not read, is missing, or does not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(chain)?;
        let leaf = chain.first().ok_or(TlsError::NoChain)?;
        ParsedCertificate::try_from(leaf).map_err(TlsError::Chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(TlsError::KeyPem)?;
        Ok(Self(Arc::new(CertifiedKey::from_der(chain, key, &provider()).map_err(TlsError::Key)?)))
    }

    /// The leaf, in DER.
    pub fn leaf(&self) -> &[u8] {
        self.0.cert.first().map_or(&[], |leaf: &CertificateDer<'static>| leaf)
    }

    pub(crate) fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0)
    }

    /// Whether it is for a host.
    pub fn is_for_host(&self, host: &str) -> bool {
        ServerName::try_from(host).is_ok_and(|name| self.is_for(&name))
    }

    /// As a client would find: RFC 9525 section 6.
    fn is_for(&self, name: &ServerName<'_>) -> bool {
        let leaf = self.0.cert.first().and_then(|leaf| ParsedCertificate::try_from(leaf).ok());
        leaf.is_some_and(|leaf| verify_server_name(&leaf, name).is_ok())
    }
}

/// Those of a process, replaced while it listens.
#[derive(Debug, Clone, Default)]
pub struct NamedCertificates(Arc<ArcSwap<Vec<NamedCertificate>>>);

impl NamedCertificates {
    /// New connections see these from now on; those that stand go on.
    pub fn replace(&self, certificates: Vec<NamedCertificate>) {
        self.0.store(Arc::new(certificates));
    }

    /// The first that is for a name.
    pub(crate) fn of(&self, name: &str) -> Option<NamedCertificate> {
        let name = ServerName::try_from(name).ok()?;
        self.0.load().iter().find(|certificate| certificate.is_for(&name)).cloned()
    }
}
