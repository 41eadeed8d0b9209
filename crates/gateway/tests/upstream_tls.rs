//! TLS towards upstreams: every fault of a certificate, and the gateway's own.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use durward_gateway::{UpstreamPem, UpstreamTls};
use durward_model::Outcome;
use durward_testsite::say_ok;
use fixture::Fixture;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for these names, and its key, in PEM.
fn leaf(by: &Authority, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let (mut params, key) = (CertificateParams::new(names).unwrap(), KeyPair::generate().unwrap());
    change(&mut params);
    (params.signed_by(&key, by).unwrap().pem(), key.serialize_pem())
}

/// A host with this certificate, that asks for one of `clients`; and how many connections it saw.
async fn serve((certificate, key): (String, String), clients: Option<&Authority>) -> (SocketAddr, Arc<AtomicUsize>) {
    use rustls::pki_types::pem::PemObject as _;
    let builder = ServerConfig::builder_with_provider(durward_net::provider()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), durward_net::provider());
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
        None => builder.with_no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let mut config = builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (address, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                seen.fetch_add(1, Ordering::SeqCst);
                assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
                say_ok(stream).await;
            });
        }
    });
    (address, connections)
}

fn pem(roots: &Authority, identity: Option<(String, String)>) -> UpstreamPem {
    let identity = identity.map(|(certificate, key)| (certificate.into_bytes(), key.into_bytes()));
    UpstreamPem { roots: Some(roots.pem().into_bytes()), identity }
}

fn route(name: &str, host: SocketAddr, more: Value) -> Value {
    let mut route = json!({"kind": "route", "name": name, "path": format!("/{name}"), "upstream": format!("https://{host}"), "upstream_tls": "mesh",
        "service": "inventory", "access": "public"});
    route.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    route
}

#[tokio::test]
async fn only_the_right_certificate_is_taken() {
    // GWDOS-008: each fault of a certificate.
    let (own, other) = (authority(), authority());
    let here = &["127.0.0.1"][..];
    let (good, connections) = serve(leaf(&own, here, |_| {}), None).await;
    let (named, _) = serve(leaf(&own, &["stock.internal"], |_| {}), None).await;
    let (foreign, _) = serve(leaf(&other, here, |_| {}), None).await;
    let expired = leaf(&own, here, |params| {
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
    });
    let early = leaf(&own, here, |params| params.not_before = rcgen::date_time_ymd(2999, 1, 1));
    let for_clients = leaf(&own, here, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    let ((expired, _), (early, _), (for_clients, _)) =
        (serve(expired, None).await, serve(early, None).await, serve(for_clients, None).await);
    let in_the_clear = fixture::upstream().await;
    let mut gateway = Fixture::told(good, vec![UpstreamTls::new("mesh", &pem(&own, None)).unwrap()], |gateway| gateway).await;
    gateway.declare([
        route("good", good, json!({})),
        route("named", named, json!({"upstream_name": "stock.internal"})),
        route("misnamed", named, json!({})),
        route("renamed", good, json!({"upstream_name": "stock.internal"})),
        route("foreign", foreign, json!({})),
        route("expired", expired, json!({})),
        route("early", early, json!({})),
        route("for-clients", for_clients, json!({})),
        route("clear", in_the_clear, json!({})),
        route("public", good, json!({"name": "system", "path": "/system", "upstream_tls": null})),
    ]);
    for name in ["good", "named", "good"] {
        let answer = gateway.get(&format!("/{name}"), &[]).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"), "{name}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1, "it is kept");
    for name in ["misnamed", "renamed", "foreign", "expired", "early", "for-clients", "clear", "system"] {
        let answer = gateway.get(&format!("/{name}"), &[]).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (502, Some("upstream_tls")), "{name}: {answer:?}");
        let event = gateway.event(&answer).await;
        assert_eq!((event.outcome, event.reason.as_deref()), (Outcome::Failed, Some("upstream_tls")), "{name}");
        assert!(name == "clear" || event.detail.as_ref().unwrap().contains("certificate"), "{name}: {event:?}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1, "nothing was asked of it");
}

#[tokio::test]
async fn a_host_that_asks_is_shown_the_gateways_certificate_and_files_are_taken_in_anew() {
    let (own, clients) = (authority(), authority());
    let (host, _) = serve(leaf(&own, &["127.0.0.1"], |_| {}), Some(&clients)).await;
    let identity = || leaf(&clients, &["gateway"], |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    let tls = ["mesh", "bare", "stranger", "renewed"].map(|name| {
        let shown = match name {
            "mesh" => Some(identity()),
            "stranger" => Some(leaf(&own, &["gateway"], |_| {})),
            _ => None,
        };
        UpstreamTls::new(name, &pem(&own, shown)).unwrap()
    });
    let mut gateway = Fixture::told(host, tls.to_vec(), |gateway| gateway).await;
    let named = |name: &str| route(name, host, json!({"upstream_tls": name}));
    gateway.declare(["mesh", "bare", "stranger", "renewed"].map(named));
    for (name, status) in [("mesh", 200), ("bare", 502), ("stranger", 502), ("renewed", 502)] {
        assert_eq!(gateway.get(&format!("/{name}"), &[]).await.status, status, "{name}");
    }
    tls[3].replace(&pem(&own, Some(identity()))).unwrap();
    assert_eq!(gateway.get("/renewed", &[]).await.status, 200);
    let (certificate, _) = identity();
    let (_, key) = identity();
    let wrong = pem(&own, Some((certificate, key)));
    assert!(tls[3].replace(&wrong).unwrap_err().to_string().contains("certificate and its key"));
    assert_eq!(gateway.get("/renewed", &[]).await.status, 200, "what stood before holds");
    assert!(UpstreamTls::new("x", &UpstreamPem { roots: Some(b"no PEM".to_vec()), identity: None }).is_err());
}
