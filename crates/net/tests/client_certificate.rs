//! What the handshake proves of a client, over real TLS.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;

use durward_base::{Duration, Timestamp};
use durward_net::{ServerConfig, ServerIdentity, Vouch, provider};
use durward_pki::{RootAuthority, ServerName};
use rcgen::{CertificateParams, KeyPair};
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// A certificate, and a key that should be its own.
#[derive(Debug)]
struct Shown(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

struct Server {
    acceptor: TlsAcceptor,
    roots: RootCertStore,
}

/// Knows one certificate.
struct Knows(CertificateDer<'static>);

impl Vouch for Knows {
    fn vouches_for(&self, chain: &[CertificateDer<'_>]) -> bool {
        chain.first() == Some(&self.0)
    }
}

impl Server {
    fn new() -> Self {
        Self::with(|identity| identity.server_config_asking().unwrap())
    }

    fn with(configuration: impl FnOnce(&ServerIdentity) -> Arc<ServerConfig>) -> Self {
        let now = Timestamp::from_millis(i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap());
        let rng = durward_testkit::seeded(5);
        let root = RootAuthority::create("root", now, &rng).unwrap();
        let intermediate = root.issue_intermediate("intermediate", now, &rng).unwrap();
        let leaf = intermediate.issue_server(&[ServerName::try_from("localhost").unwrap()], now, Duration::from_secs(3600), &rng).unwrap();
        let identity = ServerIdentity::new(leaf.chain_der, leaf.key_pkcs8.expose()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(root.certificate().der().clone()).unwrap();
        Self { acceptor: TlsAcceptor::from(configuration(&identity)), roots }
    }

    fn client(&self, shown: Option<Arc<CertifiedKey>>) -> Arc<ClientConfig> {
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        Arc::new(config.with_root_certificates(self.roots.clone()).with_client_cert_resolver(Arc::new(Shown(shown))))
    }

    /// What the server knows of the client once the handshake is over, and whether it was a whole one.
    async fn met(&self, client: &Arc<ClientConfig>) -> Result<(Option<CertificateDer<'static>>, Option<HandshakeKind>), std::io::Error> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let connecting = TlsConnector::from(Arc::clone(client)).connect("localhost".try_into().unwrap(), near);
        let (_connected, accepted) = tokio::join!(connecting, self.acceptor.accept(far));
        let accepted = accepted?;
        let connection = accepted.get_ref().1;
        Ok((connection.peer_certificates().map(|chain| chain[0].clone()), connection.handshake_kind()))
    }
}

/// A self-signed certificate and its key.
fn certificate() -> (CertificateDer<'static>, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (CertificateParams::default().self_signed(&key).unwrap().der().clone(), key)
}

fn shown(certificate: &CertificateDer<'static>, key: &KeyPair) -> Option<Arc<CertifiedKey>> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = provider().key_provider.load_private_key(key).unwrap();
    Some(Arc::new(CertifiedKey::new(vec![certificate.clone()], key)))
}

#[tokio::test]
async fn a_client_is_asked_for_a_certificate_and_may_have_any_or_none() {
    let server = Server::new();
    let (certificate, key) = certificate();
    let (met, _) = server.met(&server.client(shown(&certificate, &key))).await.unwrap();
    assert_eq!(met.as_ref(), Some(&certificate));
    assert_eq!(server.met(&server.client(None)).await.unwrap().0, None);
}

#[tokio::test]
async fn whoever_shows_a_certificate_holds_its_key() {
    let server = Server::new();
    let ((certificate, _), (_, other)) = (certificate(), certificate());
    assert!(server.met(&server.client(shown(&certificate, &other))).await.is_err(), "CLI-012");
}

#[tokio::test]
async fn no_session_is_resumed_so_each_connection_shows_its_own_certificate() {
    // CLI-012
    let server = Server::new();
    let (certificate, key) = certificate();
    let client = server.client(shown(&certificate, &key));
    for _ in 0..3 {
        let (met, kind) = server.met(&client).await.unwrap();
        assert_eq!((met.as_ref(), kind), (Some(&certificate), Some(HandshakeKind::Full)));
    }
}

#[tokio::test]
async fn where_a_certificate_is_required_it_must_be_known_and_its_key_held() {
    // CLI-012
    let ((known, key), (stranger, other)) = (certificate(), certificate());
    let server = Server::with(|identity| identity.server_config_requiring(Arc::new(Knows(known.clone()))).unwrap());
    assert_eq!(server.met(&server.client(shown(&known, &key))).await.unwrap().0, Some(known.clone()));
    for (what, shown) in [("none", None), ("a stranger's", shown(&stranger, &other)), ("another key", shown(&known, &other))] {
        assert!(server.met(&server.client(shown)).await.is_err(), "{what}");
    }
}
