use proptest::prelude::*;

use super::*;
use crate::testing::{NOW, rng};
use crate::{RootAuthority, SERVER_LIFETIME, local_names};

fn root(name: &str) -> RootAuthority {
    RootAuthority::create(name, NOW, &rng()).unwrap()
}

#[test]
fn a_bundle_of_two_roots_survives_pem() {
    let bundle =
        TrustBundle::new(vec![root("Durward root 1").certificate().clone(), root("Durward root 2").certificate().clone()]).unwrap();
    let pem = bundle.to_pem();
    assert!(pem.lines().all(|line| line.len() <= 64));
    assert_eq!(TrustBundle::from_pem(&pem), Ok(bundle));
}

#[test]
fn text_around_the_certificates_is_allowed_and_nothing_else() {
    let root = root("Durward root");
    let pem = root.certificate().to_pem();
    assert!(TrustBundle::from_pem(&format!("the root of our installation:\r\n{pem}").replace('\n', "\r\n")).is_ok());
    let key = format!("{pem}-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n");
    let cut = &pem[..pem.len() - 10];
    let foreign = pem.replace("MII", "M!I");
    for (text, expected) in [
        ("", TrustBundleError::Empty),
        ("no certificate", TrustBundleError::Empty),
        (&key, TrustBundleError::NotACertificate { section: 2 }),
        (cut, TrustBundleError::Pem),
        (&foreign, TrustBundleError::Pem),
        (&"x".repeat(MAX_PEM + 1), TrustBundleError::TooLarge),
        (&pem.repeat(MAX_ROOTS + 1), TrustBundleError::TooLarge),
        (
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            TrustBundleError::Certificate { section: 1, source: CertificateError::Malformed },
        ),
    ] {
        assert_eq!(TrustBundle::from_pem(text), Err(expected));
    }
}

#[test]
fn intermediates_servers_and_altered_roots_are_no_roots() {
    let root = root("Durward root");
    let intermediate = root.issue_intermediate("Durward intermediate", NOW, &rng()).unwrap();
    let server = intermediate.issue_server(&local_names(), NOW, SERVER_LIFETIME, &rng()).unwrap();
    let mut altered = root.certificate().der().to_vec();
    *altered.last_mut().unwrap() ^= 1;
    for other in [intermediate.certificate(), &server.certificate, &Certificate::from_der(&altered).unwrap()] {
        let refused = TrustBundle::new(vec![root.certificate().clone(), other.clone()]);
        assert!(matches!(refused, Err(TrustBundleError::NotARoot { section: 2, .. })), "{refused:?}");
    }
}

/// PKI-019
#[test]
fn no_truncated_or_extended_certificate_is_read() {
    let der = root("Durward root").certificate().der().to_vec();
    for length in 0..der.len() {
        assert_eq!(Certificate::from_der(&der[..length]), Err(CertificateError::Malformed));
    }
    assert_eq!(Certificate::from_der(&[&der[..], &[0]].concat()), Err(CertificateError::Malformed));
    assert_eq!(Certificate::from_der(&vec![0x30; 16 * 1024 + 1]), Err(CertificateError::TooLarge { found: 16 * 1024 + 1 }));
}

proptest! {
    /// PKI-019
    #[test]
    fn no_input_makes_the_parsers_panic(position: prop::sample::Index, byte: u8, der: Vec<u8>, text: String) {
        let mut altered = root("Durward root").certificate().der().to_vec();
        *position.get_mut(&mut altered) = byte;
        let _ = Certificate::from_der(&altered).map(|certificate| TrustBundle::new(vec![certificate]));
        prop_assert!(Certificate::from_der(&der).is_err());
        prop_assert!(TrustBundle::from_pem(&text).is_err());
    }
}
