//! What listeners show of themselves: certificates, and the answer to an ACME authority's challenge.

use std::sync::Arc;

use durward_net::{AcmeChallenges, ListenerTls, NamedCertificates, ServerConfig, ServerIdentity, TlsError, Vouch};

/// What listeners show.
pub struct Shown {
    /// Our own certificate.
    pub identity: ServerIdentity,
    /// Others' certificates, by name.
    pub named: Vec<NamedCertificates>,
    /// What an ACME authority looks for, where one is asked.
    pub challenges: Option<AcmeChallenges>,
}

impl Shown {
    /// To browsers and clients, `asking` them for certificates or not.
    pub fn tls(&self, asking: bool) -> Result<ListenerTls, TlsError> {
        let identity = self.identity.beside(self.named.clone());
        self.answering(if asking { identity.server_config_asking()? } else { identity.server_config()? }, identity)
    }

    /// To clients who come no further without a certificate that `required` vouches for.
    pub fn tls_requiring(&self, required: Arc<dyn Vouch>) -> Result<ListenerTls, TlsError> {
        let identity = self.identity.beside(self.named.clone());
        self.answering(identity.server_config_requiring(required)?, identity)
    }

    /// To nodes, which trust our own certificate alone.
    pub fn own_tls(&self) -> Result<ListenerTls, TlsError> {
        Ok(ListenerTls::new(self.identity.server_config()?, self.identity.clone()))
    }

    fn answering(&self, config: Arc<ServerConfig>, identity: ServerIdentity) -> Result<ListenerTls, TlsError> {
        self.challenges.iter().try_fold(ListenerTls::new(config, identity), ListenerTls::answering)
    }
}
