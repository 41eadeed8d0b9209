//! Certificates: the peers', and those of a client and of whoever vouches for it.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

/// The name that the client is registered by.
const NAME: &str = "caller.bench.example";

/// A client's certificate and key.
pub struct Client {
    /// Who vouches for it, in PEM.
    pub authority_pem: String,
    /// The same, in DER.
    pub authority: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Client {
    /// One that a new authority vouches for.
    pub fn new() -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([NAME.to_owned()])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &authority)?;
        let (authority_pem, authority) = (authority.pem(), authority.der().clone());
        Ok(Self { authority_pem, authority, chain: vec![certificate.der().clone()], key: key.serialize_der() })
    }

    /// A client that shows it.
    pub fn configuration(&self) -> anyhow::Result<Arc<ClientConfig>> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let mut configuration = trusting()?.with_client_auth_cert(self.chain.clone(), key)?;
        configuration.resumption = rustls::client::Resumption::disabled();
        Ok(Arc::new(configuration))
    }
}

/// A client without a certificate.
pub fn anonymous() -> anyhow::Result<Arc<ClientConfig>> {
    Ok(Arc::new(trusting()?.with_no_client_auth()))
}

/// rustls over the one provider.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A server's certificate for a host, as `FILE.crt` and `FILE.key`.
pub fn self_signed(directory: &Path, file: &str, host: &str) -> anyhow::Result<()> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new([host.to_owned()])?.self_signed(&key)?;
    std::fs::write(directory.join(format!("{file}.crt")), certificate.pem())?;
    Ok(std::fs::write(directory.join(format!("{file}.key")), key.serialize_pem())?)
}

fn trusting() -> anyhow::Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>> {
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(&[&rustls::version::TLS13])?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider()))))
}

/// Takes any server: what its certificate is worth is not measured here, only that it signs.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
