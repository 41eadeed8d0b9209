//! RFC 8737: TLS-ALPN-01, the proof to a certificate authority that a name leads to this listener.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::tls::{TlsError, provider};

const PROTOCOL: &[u8] = b"acme-tls/1";

/// The challenge that waits to be looked at, where one does. A handle: clones share it.
#[derive(Debug, Clone, Default)]
pub struct AcmeChallenges(Arc<ArcSwapOption<Challenge>>);

#[derive(Debug)]
struct Challenge {
    name: String,
    shown: Arc<CertifiedKey>,
}

impl AcmeChallenges {
    /// Shows this certificate (DER) with its key (PKCS#8, DER) to who validates this name, and to nobody else, in place of what was shown before.
    ///
    /// # Errors
    /// A key that cannot be used.
    pub fn show(&self, name: &str, certificate: Vec<u8>, key_pkcs8: &[u8]) -> Result<(), TlsError> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key_pkcs8.to_vec()));
        let key = provider().key_provider.load_private_key(key).map_err(TlsError::Key)?;
        let shown = Arc::new(CertifiedKey::new(vec![CertificateDer::from(certificate)], key));
        self.0.store(Some(Arc::new(Challenge { name: name.to_owned(), shown })));
        Ok(())
    }

    /// Shows nothing any more.
    pub fn end(&self) {
        self.0.store(None);
    }

    /// What answers them: no other protocol, and no session to resume with another.
    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Key)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for AcmeChallenges {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let challenge = self.0.load_full()?;
        (hello.server_name() == Some(challenge.name.as_str())).then(|| Arc::clone(&challenge.shown))
    }
}

/// Section 3: "The ACME server MUST provide an ALPN extension with the single protocol name "acme-tls/1"".
pub(crate) fn is_validation(hello: &ClientHello<'_>) -> bool {
    hello.alpn().is_some_and(|offered| offered.eq([PROTOCOL]))
}
