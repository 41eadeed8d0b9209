//! RFC 8446 section 4.4.2: asking clients for a certificate. Where none is required, whether one is given and who signed it is nothing to the
//! handshake: it checks that the client holds the key (section 4.4.3), and what the certificate is good for is asked later, of whoever it is for.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

/// The certificates that a peer showed, its own first. It holds the key of that one; nothing else is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate(Arc<[CertificateDer<'static>]>);

impl PeerCertificate {
    /// A chain whose first certificate's key the peer has proved in a handshake: for whoever ends TLS by other means.
    pub fn proved(chain: Vec<CertificateDer<'static>>) -> Option<Self> {
        (!chain.is_empty()).then(|| Self(chain.into()))
    }

    /// The chain, the peer's own certificate first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.0
    }

    /// The peer's own certificate, in DER.
    pub fn der(&self) -> &[u8] {
        self.0.first().map(AsRef::as_ref).unwrap_or_default()
    }
}

/// Who knows clients by their certificates.
pub trait Vouch: Send + Sync {
    /// Whether this chain, the client's own certificate first, is a known client's at present. That the client holds the key is checked beside.
    fn vouches_for(&self, chain: &[CertificateDer<'_>]) -> bool;
}

/// Asks for a certificate, and insists that its key be proved.
pub(crate) struct Asked {
    pub(crate) provider: Arc<CryptoProvider>,
    /// Whose word is required. Where there is none, any certificate is taken, or none.
    pub(crate) required: Option<Arc<dyn Vouch>>,
}

impl fmt::Debug for Asked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Asked").field("required", &self.required.is_some()).finish_non_exhaustive()
    }
}

impl ClientCertVerifier for Asked {
    fn client_auth_mandatory(&self) -> bool {
        self.required.is_some()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain: Vec<_> = std::iter::once(own).chain(others).cloned().collect();
        if self.required.as_ref().is_some_and(|required| !required.vouches_for(&chain)) {
            return Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure));
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
