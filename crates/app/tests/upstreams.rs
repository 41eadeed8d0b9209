//! Several hosts behind the real gateway: one of them gone, both over TLS, and what the settings and metrics say of them.

use std::fs;
use std::sync::Arc;

use durward_testsite::say_ok;
use reqwest::StatusCode;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::fixture::{Durward, free_port};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_goes_on_while_one_of_its_hosts_is_gone() {
    let mut durward = Durward::start().await;
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["stock.internal".to_owned()]).unwrap().self_signed(&key).unwrap();
    fs::write(durward.directory().join("stock.pem"), certificate.pem()).unwrap();
    durward.configure("gateway:\n  timeouts: {answer_ms: 30000}\n  upstream_tls: [{name: stock, roots: stock.pem}]");
    durward.stop();
    durward.restart();

    let (here, gone) = (serve(&certificate.pem(), &key.serialize_pem()).await, free_port());
    durward.apply(&format!(
        "kind: service\nname: stock\n---\nkind: route\nname: stock\npath: /stock\nservice: stock\naccess: public\n\
         upstream: [\"https://127.0.0.1:{here}\", \"https://127.0.0.1:{gone}\"]\nupstream_tls: stock\nupstream_name: stock.internal\n"
    ));
    let client = durward.client();
    for _ in 0..12 {
        let answer = client.get(durward.at_gateway("/stock")).send().await.unwrap();
        assert_eq!((answer.status(), answer.text().await.unwrap().as_str()), (StatusCode::OK, "ok"));
    }
    let metrics = client.get(durward.at_operations("/metrics")).send().await.unwrap().text().await.unwrap();
    let says = |name: &str, port: u16| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name}{{host=\"127.0.0.1:{port}\"}} ")));
        line.unwrap_or_else(|| panic!("{name} of {port}: {metrics}")).parse::<f64>().unwrap()
    };
    assert!(says("durward_upstream_failures_total", gone) > 0.0);
    assert!((says("durward_upstream_failures_total", gone) - says("durward_upstream_retries_total", gone)).abs() < f64::EPSILON);
    assert!(says("durward_upstream_failures_total", here) < 1.0 && says("durward_upstream_idle_connections", here) > 0.0);

    let file = durward.directory().join("durward.yaml");
    let shown = crate::fixture::durward().args(["config", "show", "--output", "json", "--config"]).arg(file).output().unwrap();
    let shown: Vec<serde_json::Value> = serde_json::from_slice(&shown.stdout).unwrap();
    let value = |name: &str| &shown.iter().find(|value| value["name"] == name).unwrap_or_else(|| panic!("{name}: {shown:?}"))["value"];
    for (name, expected) in [
        ("gateway.timeouts.connect_ms", 2000),
        ("gateway.timeouts.answer_ms", 30_000),
        ("gateway.timeouts.idle_ms", 60_000),
        ("gateway.max_in_flight", 10_000),
    ] {
        assert_eq!(value(name), expected, "{name}");
    }
}

/// A service over TLS with this certificate; its port.
async fn serve(certificate: &str, key: &str) -> u16 {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(durward_net::provider()).with_safe_default_protocol_versions().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                say_ok(acceptor.accept(stream).await.unwrap()).await;
            });
        }
    });
    port
}
