//! A gateway's listener that requires certificates of its clients.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use reqwest::{Identity, StatusCode};

use crate::fixture::{Durward, SOON, within};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// What a client of this authority shows.
fn identity(authority: &CertifiedIssuer<'_, KeyPair>) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(["caller.example".to_owned()]).unwrap();
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = parameters.signed_by(&key, authority).unwrap();
    Identity::from_pem(format!("{}{}", certificate.pem(), key.serialize_pem()).as_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_requires_certificates_lets_nobody_in_without_one_that_somebody_vouches_for() {
    let (known, stranger) = (authority(), authority());
    let mut durward = Durward::start().await;
    fs::write(durward.directory().join("clients.pem"), known.pem()).unwrap();
    durward.configure("gateway:\n  client_certificates_required: true\n  client_authorities: [{roots: clients.pem}]");
    durward.stop();
    durward.restart();
    let asked = async |identity: Option<Identity>| {
        let client = durward.client_builder();
        let client = match identity {
            Some(identity) => client.identity(identity),
            None => client,
        };
        client.build().unwrap().get(durward.at_gateway("/nowhere")).send().await.map(|answer| answer.status())
    };
    assert_eq!(asked(Some(identity(&known))).await.unwrap(), StatusCode::NOT_FOUND);
    assert!(asked(None).await.is_err(), "nobody comes in without one");
    assert!(asked(Some(identity(&stranger))).await.is_err(), "nor with one that nobody knows");
    let recorded = async || {
        let events = durward.command(&["audit", "list", "--kind", "connection.refused"]);
        let reason = |event: &serde_json::Value| event["reason"] == "tls.client_certificate" && event["outcome"] == "denied";
        events["items"].as_array().is_some_and(|events| events.iter().any(reason))
    };
    within(SOON, "the refusal is on record", recorded).await;
    let elsewhere = durward.client().get(durward.at("/realms/main/oauth2/jwks")).send().await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::OK, "other listeners ask for none");
}
