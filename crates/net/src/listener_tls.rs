//! TLS as a listener accepts it: its own configuration, and beside it the one that answers an ACME authority's validation.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::Acceptor;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

use crate::acme_challenges::is_validation;
use crate::{AcmeChallenges, RequestedName, ServerIdentity, TlsError};

/// How a listener accepts TLS.
#[derive(Clone)]
pub struct ListenerTls {
    acceptor: TlsAcceptor,
    identity: ServerIdentity,
    validation: Option<Arc<ServerConfig>>,
}

impl ListenerTls {
    /// By this configuration, which shows this identity.
    pub fn new(config: Arc<ServerConfig>, identity: ServerIdentity) -> Self {
        Self { acceptor: TlsAcceptor::from(config), identity, validation: None }
    }

    /// Answers ACME's challenges too.
    ///
    /// # Errors
    /// Those of the provider.
    pub fn answering(self, challenges: &AcmeChallenges) -> Result<Self, TlsError> {
        Ok(Self { validation: Some(challenges.server_config()?), ..self })
    }

    /// What a client asked for that gave this name.
    pub(crate) fn requested(&self, name: &str) -> Option<RequestedName> {
        self.identity.requested(name)
    }

    /// A connection; none when it was a validation, which is over.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        let Some(validation) = &self.validation else { return self.acceptor.accept(stream).await.map(Some) };
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        if !is_validation(&start.client_hello()) {
            return start.into_stream(Arc::clone(self.acceptor.config())).await.map(Some);
        }
        // RFC 8737 section 4: "The "acme-tls/1" protocol does not carry application data."
        start.into_stream(Arc::clone(validation)).await?.shutdown().await?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use durward_base::{Duration, Timestamp};
    use durward_pki::{ChallengeCertificate, RootAuthority, ServerName};
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::{ClientConfig, DigitallySignedStruct, Error, HandshakeKind, SignatureScheme};
    use rustls_pki_types::{CertificateDer, UnixTime};
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::provider;

    /// Who validates a name looks into the certificate, and not at who signed it.
    #[derive(Debug)]
    struct Anyone;

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
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ECDSA_NISTP256_SHA256]
        }
    }

    fn client(protocols: &[&str]) -> Arc<ClientConfig> {
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        let mut config = config.dangerous().with_custom_certificate_verifier(Arc::new(Anyone)).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    fn listener(challenges: &AcmeChallenges) -> ListenerTls {
        let (now, rng) = (Timestamp::from_seconds(1_795_348_504), durward_testkit::seeded(5));
        let intermediate = RootAuthority::create("root", now, &rng).unwrap().issue_intermediate("intermediate", now, &rng).unwrap();
        let leaf = intermediate.issue_server(&[ServerName::try_from("own.example").unwrap()], now, Duration::from_secs(60), &rng).unwrap();
        let identity = ServerIdentity::new(leaf.chain_der, leaf.key_pkcs8.expose()).unwrap();
        ListenerTls::new(identity.server_config().unwrap(), identity).answering(challenges).unwrap()
    }

    /// What a client sees: the protocol and the certificate that were agreed on, and how; none when there is no agreement.
    struct Seen {
        protocol: Option<Vec<u8>>,
        leaf: Vec<u8>,
        resumed: bool,
        /// Whether it was closed by the listener, and is no connection to be served.
        over: bool,
    }

    async fn connect(tls: &ListenerTls, client: &Arc<ClientConfig>, name: &str) -> Option<Seen> {
        let bound = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = TcpStream::connect(bound.local_addr().unwrap()).await.unwrap();
        let near = bound.accept().await.unwrap().0;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let looking = async {
            let mut stream = TlsConnector::from(Arc::clone(client)).connect(name, far).await.ok()?;
            let mut rest = Vec::new();
            // Tickets come before the end.
            stream.read_to_end(&mut rest).await.ok().filter(|read| *read == 0)?;
            let session = stream.get_ref().1;
            let leaf = session.peer_certificates()?.first()?.to_vec();
            let resumed = session.handshake_kind() == Some(HandshakeKind::Resumed);
            Some(Seen { protocol: session.alpn_protocol().map(<[u8]>::to_vec), leaf, resumed, over: false })
        };
        let accepting = async {
            let accepted = tls.accept(near).await.ok()?;
            let over = accepted.is_none();
            if let Some(mut stream) = accepted {
                stream.shutdown().await.ok()?;
            }
            Some(over)
        };
        let (seen, over) = tokio::join!(looking, accepting);
        Some(Seen { over: over?, ..seen? })
    }

    #[tokio::test]
    async fn a_challenge_is_shown_to_who_validates_its_name_and_to_nobody_else() {
        let challenges = AcmeChallenges::default();
        let (tls, validation) = (listener(&challenges), client(&["acme-tls/1"]));
        assert!(connect(&tls, &validation, "shop.example").await.is_none(), "nothing waits");

        let shown = ChallengeCertificate::new("shop.example", &[7; 32]).unwrap();
        challenges.show("shop.example", shown.der.clone(), shown.key_pkcs8.expose()).unwrap();
        let seen = connect(&tls, &validation, "shop.example").await.unwrap();
        assert_eq!((seen.protocol.as_deref(), seen.over), (Some(&b"acme-tls/1"[..]), true));
        assert_eq!(seen.leaf, shown.der);
        assert!(connect(&tls, &validation, "other.example").await.is_none(), "another name");

        for protocols in [&["h2", "http/1.1"][..], &["acme-tls/1", "http/1.1"], &["http/1.1", "acme-tls/1"], &[]] {
            let seen = connect(&tls, &client(protocols), "shop.example").await.unwrap();
            assert!(!seen.over && seen.leaf != shown.der, "{protocols:?} are served as ever");
            assert!(seen.protocol.is_none_or(|protocol| protocol != b"acme-tls/1"), "{protocols:?}");
        }

        challenges.end();
        assert!(connect(&tls, &validation, "shop.example").await.is_none(), "it is over");
    }

    #[tokio::test]
    async fn a_validation_leaves_no_session_behind_to_go_on_with() {
        let challenges = AcmeChallenges::default();
        let (tls, validation) = (listener(&challenges), client(&["acme-tls/1"]));
        let shown = ChallengeCertificate::new("shop.example", &[7; 32]).unwrap();
        challenges.show("shop.example", shown.der, shown.key_pkcs8.expose()).unwrap();
        let mut browser = ClientConfig::clone(&client(&["http/1.1"]));
        browser.resumption = validation.resumption.clone();
        let browser = Arc::new(browser);
        assert!(!connect(&tls, &validation, "shop.example").await.unwrap().resumed);
        assert!(!connect(&tls, &browser, "shop.example").await.unwrap().resumed, "nothing to resume from the validation");
        assert!(connect(&tls, &browser, "shop.example").await.unwrap().resumed, "as from any other connection");
        assert!(!connect(&tls, &validation, "shop.example").await.unwrap().resumed, "and the other way round");
    }
}
