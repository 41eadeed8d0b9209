//! TLS 1.2 and 1.3 over aws-lc-rs, the one provider. Certificates are swapped without dropping a connection.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::client_certificate::{Asked, Vouch};
use crate::named_certificates::{NamedCertificate, NamedCertificates};
use crate::requested_name::RequestedName;

/// Why a certificate, key or set of roots cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The key does not fit or cannot be read.
    #[error("the certificate's key cannot be used: {0}")]
    Key(#[source] rustls::Error),
    /// The certificates' text is no PEM.
    #[error("the certificates cannot be read: {0}; expected PEM")]
    Pem(#[source] rustls_pki_types::pem::Error),
    /// A root is no certificate.
    #[error("a trusted root cannot be used: {0}")]
    Root(#[source] rustls::Error),
    /// The key's text is no PEM, or holds no key.
    #[error("the certificate's key cannot be read: {0}; expected a PRIVATE KEY in PEM")]
    KeyPem(#[source] rustls_pki_types::pem::Error),
    /// The leaf is no certificate.
    #[error("the certificate cannot be used: {0}")]
    Chain(#[source] rustls::Error),
    /// There is no leaf.
    #[error("no certificate was given: expected a chain in PEM, leaf first")]
    NoChain,
    /// There is none.
    #[error("no trusted root was given: expected at least one certificate in PEM")]
    NoRoots,
}

/// The provider, passed everywhere explicitly: nothing is installed process-wide.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A listener's certificate, replaced while it runs.
#[derive(Debug, Clone)]
pub struct ServerIdentity(Arc<Resolver>);

#[derive(Debug)]
struct Resolver {
    own: Arc<ArcSwap<CertifiedKey>>,
    named: Vec<NamedCertificates>,
}

impl ServerIdentity {
    /// From a chain (leaf first, DER) and its key (PKCS#8, DER).
    pub fn new(chain: Vec<Vec<u8>>, key_pkcs8: &[u8]) -> Result<Self, TlsError> {
        let own = Arc::new(ArcSwap::new(certified(chain, key_pkcs8)?));
        Ok(Self(Arc::new(Resolver { own, named: Vec::new() })))
    }

    /// The same, but for names that one of `named` has a certificate for: the first that has.
    #[must_use]
    pub fn beside(&self, named: Vec<NamedCertificates>) -> Self {
        Self(Arc::new(Resolver { own: Arc::clone(&self.0.own), named }))
    }

    /// New connections use this chain from now on; those that stand go on.
    pub fn replace(&self, chain: Vec<Vec<u8>>, key_pkcs8: &[u8]) -> Result<(), TlsError> {
        self.0.own.store(certified(chain, key_pkcs8)?);
        Ok(())
    }

    /// What a client asked for that gave this name; none where every name leads to the same certificate.
    pub(crate) fn requested(&self, name: &str) -> Option<RequestedName> {
        (!self.0.named.is_empty()).then(|| RequestedName::new(name, self.clone()))
    }

    /// Whether the certificate that a name leads to is for a host as well. Our own is for all that no other is for.
    pub(crate) fn shows_alike(&self, name: &str, host: &str) -> bool {
        match self.0.named(name) {
            Some(shown) => shown.is_for_host(host),
            None => self.0.named(host).is_none(),
        }
    }

    /// The listener's side of TLS, offering HTTP/2 and HTTP/1.1.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Key)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&self.0) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// The same, but that clients are asked for a certificate. No session is resumed: each connection's key is proved anew.
    pub fn server_config_asking(&self) -> Result<Arc<ServerConfig>, TlsError> {
        self.asking(None)
    }

    /// The same, but that a client without a certificate that `required` vouches for comes no further than the handshake.
    pub fn server_config_requiring(&self, required: Arc<dyn Vouch>) -> Result<Arc<ServerConfig>, TlsError> {
        self.asking(Some(required))
    }

    fn asking(&self, required: Option<Arc<dyn Vouch>>) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = provider();
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Key)?
            .with_client_cert_verifier(Arc::new(Asked { provider, required }))
            .with_cert_resolver(Arc::clone(&self.0) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|name| self.named(name));
        Some(named.map_or_else(|| self.own.load_full(), |named| named.key()))
    }
}

impl Resolver {
    fn named(&self, name: &str) -> Option<NamedCertificate> {
        self.named.iter().find_map(|named| named.of(name))
    }
}

fn certified(chain: Vec<Vec<u8>>, key_pkcs8: &[u8]) -> Result<Arc<CertifiedKey>, TlsError> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key_pkcs8.to_vec()));
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    Ok(Arc::new(CertifiedKey::from_der(chain, key, &provider()).map_err(TlsError::Key)?))
}

/// The roots an outbound connection trusts. There are no others: the machine's store is consulted by `system` alone.
#[derive(Debug, Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// From certificates in PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Self, TlsError> {
        Self::from_der(certificates(pem)?)
    }

    /// The system's roots, and those added in PEM.
    pub fn system(added: &[u8]) -> Result<Self, TlsError> {
        let mut roots = rustls_native_certs::load_native_certs().certs;
        roots.extend(certificates(added)?);
        Self::from_der(roots)
    }

    /// From certificates in DER.
    pub fn from_der(roots: impl IntoIterator<Item = CertificateDer<'static>>) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        for root in roots {
            store.add(root).map_err(TlsError::Root)?;
        }
        if store.is_empty() {
            return Err(TlsError::NoRoots);
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Root)?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

/// Certificates in PEM.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(TlsError::Pem)
}
