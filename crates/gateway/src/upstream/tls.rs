//! TLS 1.2 and 1.3 towards upstreams: which roots vouch for them, and the certificate that the gateway shows.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// TLS towards upstreams under a name. A handle: clones share one.
#[derive(Clone)]
pub struct UpstreamTls(Arc<Inner>);

struct Inner {
    name: String,
    config: ArcSwap<ClientConfig>,
}

/// What TLS towards upstreams is made from, in PEM.
#[derive(Default)]
pub struct UpstreamPem {
    /// The roots that vouch for upstreams; the system's when absent.
    pub roots: Option<Vec<u8>>,
    /// The certificate that the gateway shows to those that ask for one, with its chain, and the key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

/// Why TLS towards upstreams cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamTlsError {
    /// The roots or the certificate are no PEM.
    #[error("the {0} cannot be read: {1} (expected certificates in PEM)")]
    Certificates(&'static str, #[source] pem::Error),
    /// The key is no PEM.
    #[error("the key cannot be read: {0} (expected a private key in PEM)")]
    Key(#[source] pem::Error),
    /// Nobody would be trusted.
    #[error("there is no root to trust: expected at least one certificate in PEM")]
    NoRoots,
    /// The certificate and the key do not belong together, or cannot be used.
    #[error("the certificate and its key cannot be used: {0}")]
    Identity(#[source] rustls::Error),
}

impl UpstreamTls {
    /// TLS that routes call by this name.
    ///
    /// # Errors
    /// When something does not read, or does not fit together.
    pub fn new(name: impl Into<String>, pem: &UpstreamPem) -> Result<Self, UpstreamTlsError> {
        Ok(Self(Arc::new(Inner { name: name.into(), config: ArcSwap::from_pointee(config(pem)?) })))
    }

    /// New connections go by this from now on; those that stand go on.
    ///
    /// # Errors
    /// As `new`; what stood before holds then.
    pub fn replace(&self, pem: &UpstreamPem) -> Result<(), UpstreamTlsError> {
        self.0.config.store(Arc::new(config(pem)?));
        Ok(())
    }

    /// What routes call it.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) fn connector(&self) -> TlsConnector {
        TlsConnector::from(self.0.config.load_full())
    }

    /// The same for an upstream that must speak HTTP/2.
    pub(super) fn connector_http2(&self) -> TlsConnector {
        let mut config = ClientConfig::clone(&self.0.config.load());
        config.alpn_protocols = vec![b"h2".to_vec()];
        TlsConnector::from(Arc::new(config))
    }
}

impl fmt::Debug for UpstreamTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UpstreamTls").field(&self.0.name).finish()
    }
}

fn config(pem: &UpstreamPem) -> Result<ClientConfig, UpstreamTlsError> {
    let trusted = match &pem.roots {
        Some(pem) => certificates("roots", pem)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted);
    if roots.is_empty() {
        return Err(UpstreamTlsError::NoRoots);
    }
    let config = ClientConfig::builder_with_provider(durward_net::provider())
        .with_safe_default_protocol_versions()
        .map_err(UpstreamTlsError::Identity)?
        .with_root_certificates(roots);
    let mut config = match &pem.identity {
        Some((chain, key)) => {
            let key = PrivateKeyDer::from_pem_slice(key).map_err(UpstreamTlsError::Key)?;
            config.with_client_auth_cert(certificates("certificate", chain)?, key).map_err(UpstreamTlsError::Identity)?
        }
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, UpstreamTlsError> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|error| UpstreamTlsError::Certificates(what, error))
}
