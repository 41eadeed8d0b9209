//! The guarded way out, against a real server on loopback.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use durward_base::{Duration, Timestamp};
use durward_model::egress_url::{EgressError, EgressRules, EgressUrl};
use durward_net::{ClientError, Egress, GuardedError, ServerIdentity};
use durward_pki::{RootAuthority, ServerName};
use http::{Request, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const LOOPBACK: EgressRules = EgressRules { loopback: true };

/// A server that gives every request the same answer and counts connections.
struct Named {
    port: u16,
    roots: Vec<u8>,
    connections: Arc<AtomicUsize>,
}

impl Named {
    async fn answering(answer: &'static str) -> Self {
        let now = Timestamp::from_millis(i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap());
        let rng = durward_testkit::seeded(5);
        let root = RootAuthority::create("somebody", now, &rng).unwrap();
        let names = [ServerName::try_from("localhost").unwrap(), ServerName::try_from("127.0.0.1").unwrap()];
        let intermediate = root.issue_intermediate("somebody", now, &rng).unwrap();
        let leaf = intermediate.issue_server(&names, now, Duration::from_secs(3600), &rng).unwrap();
        let identity = ServerIdentity::new(leaf.chain_der, leaf.key_pkcs8.expose()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, connections) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let (acceptor, counter) = (TlsAcceptor::from(identity.server_config().unwrap()), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { port, roots: root.certificate().to_pem().into_bytes(), connections }
    }

    fn url(&self, host: &str) -> EgressUrl {
        EgressUrl::parse(&format!("https://{host}:{}/jwks", self.port)).unwrap()
    }

    fn egress(&self, rules: EgressRules) -> Egress {
        Egress::new(rules, self.roots.clone())
    }
}

#[tokio::test]
async fn what_stands_at_a_permitted_url_is_read() {
    let named = Named::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    for host in ["localhost", "127.0.0.1"] {
        let answer = named.egress(LOOPBACK).get(&named.url(host), "application/json", 100).await.unwrap();
        assert_eq!(answer.body(), &Bytes::from_static(b"{}"), "{host}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_public_is_never_connected_to() {
    let named = Named::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    for host in ["localhost", "127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"] {
        let error = named.egress(EgressRules::default()).get(&named.url(host), "application/json", 100).await.unwrap_err();
        assert!(matches!(error, GuardedError::Refused(EgressError::Address)), "DCR-001 {host}: {error}");
    }
    assert_eq!(named.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_nobody_follows_it() {
    let named = Named::answering("HTTP/1.1 302 Found\r\nlocation: https://localhost/\r\ncontent-length: 0\r\n\r\n").await;
    let error = named.egress(LOOPBACK).get(&named.url("localhost"), "application/json", 100).await.unwrap_err();
    assert!(matches!(error, GuardedError::Status(StatusCode::FOUND)), "{error}");
    assert_eq!(named.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_refused() {
    let named = Named::answering("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789").await;
    let error = named.egress(LOOPBACK).get(&named.url("localhost"), "application/json", 9).await.unwrap_err();
    assert!(matches!(error, GuardedError::Failed(ClientError::Body(9))), "{error}");
}

#[tokio::test]
async fn a_server_that_no_root_vouches_for_is_refused() {
    let named = Named::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let stranger = Named::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let error = stranger.egress(LOOPBACK).post(&named.url("localhost"), Request::new(Bytes::new())).await.unwrap_err();
    assert!(matches!(error, GuardedError::Failed(ClientError::Connect { .. })), "{error}");
}
