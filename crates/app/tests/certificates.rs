//! Certificates of files: shown by name, renewed under those who are connected, and never replaced by what cannot be used.

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::StatusCode;
use reqwest::header::HOST;

use crate::fixture::{Durward, SOON, within};

const NAME: &str = "shop.example";

/// An authority that browsers would know.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// Writes a new chain and key for the name, as who renews them does: each file whole, by renaming.
fn renew(directory: &Path, authority: &CertifiedIssuer<'_, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([NAME.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    for (file, text) in [("shop.pem", leaf.pem()), ("shop.key", key.serialize_pem())] {
        fs::write(directory.join("new"), text).unwrap();
        fs::rename(directory.join("new"), directory.join(file)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_a_file_is_shown_by_its_name_and_renewed_under_those_who_are_connected() {
    let (first, second) = (authority(), authority());
    let mut durward = Durward::start().await;
    let directory = durward.directory().to_owned();
    renew(&directory, &first);
    durward.configure("names: [shop.example]\ncertificates: [{chain: shop.pem, key: shop.key}]");
    durward.stop();
    durward.restart();

    let by_our_own_name = durward.client();
    let gateway: std::net::SocketAddr = durward.at_gateway("").trim_start_matches("https://").parse().unwrap();
    let url = format!("https://{NAME}:{}/nowhere", gateway.port());
    let knowing = |authority: &CertifiedIssuer<'_, KeyPair>| {
        let root = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
        reqwest::Client::builder().tls_certs_only([root]).resolve(NAME, gateway).build().unwrap()
    };
    let (kept, unknowing) = (knowing(&first), knowing(&second));
    let asked = async |client: &reqwest::Client| client.get(&url).send().await.map(|answer| answer.status());
    assert_eq!(asked(&kept).await.unwrap(), StatusCode::NOT_FOUND);
    assert!(asked(&unknowing).await.is_err(), "it is the first authority's");
    let answer = by_our_own_name.get(durward.at_gateway("/nowhere")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND, "our own certificate goes on for our own names");

    let ours = durward.client_builder().http1_only().build().unwrap();
    let named = |listener: &str| format!("https://localhost:{}/nowhere", durward.listens(listener).rsplit_once(':').unwrap().1);
    let asked_of = async |client: &reqwest::Client, url: &str, host: &str| {
        let answer = client.get(url).header(HOST, host).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(asked_of(&ours, &named("gateway"), NAME).await, "misdirected", "another certificate's host");
    assert_eq!(asked_of(&ours, &named("gateway"), "other.example").await, "no_route", "of the same certificate, which is for all others");
    assert_eq!(asked_of(&ours, &durward.at_gateway("/nowhere"), NAME).await, "no_route", "no name was asked for");
    assert_eq!(asked_of(&ours, &named("authority"), NAME).await, "misdirected");

    fs::write(directory.join("shop.pem"), "no certificate").unwrap();
    within(SOON, "what cannot be used is named", async || durward.log().contains("shop.pem and ")).await;
    assert_eq!(asked(&knowing(&first)).await.unwrap(), StatusCode::NOT_FOUND, "what was read before holds");

    renew(&directory, &second);
    within(SOON, "new connections see the new one", async || asked(&unknowing).await.is_ok()).await;
    assert_eq!(asked(&kept).await.unwrap(), StatusCode::NOT_FOUND, "who is connected stays connected");
    assert!(asked(&knowing(&first)).await.is_err(), "and nobody else sees the old one");
    let metrics = by_our_own_name.get(durward.at_operations("/metrics")).send().await.unwrap().text().await.unwrap();
    let chain = directory.join("shop.pem").display().to_string();
    assert!(metrics.contains(&format!("durward_certificate_expiry_seconds{{chain=\"{chain}\"}}")), "{metrics}");
    assert!(metrics.contains("durward_certificate_expiry_seconds{chain=\"own\"}"), "{metrics}");
}
