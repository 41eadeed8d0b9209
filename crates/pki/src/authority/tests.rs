use std::collections::HashSet;
use std::sync::Arc;

use durward_base::{Entropy, EntropyError};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::{CertificateError as TlsError, Error, RootCertStore};
use rustls_pki_types::{CertificateDer, UnixTime};
use x509_parser::prelude::*;

use super::*;
use crate::testing::{NOW, rng};
use crate::{SERVER_LIFETIME, local_names};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

fn authorities() -> (RootAuthority, IntermediateAuthority) {
    let root = RootAuthority::create("Durward root", NOW, &rng()).unwrap();
    let intermediate = root.issue_intermediate("Durward intermediate", NOW, &rng()).unwrap();
    (root, intermediate)
}

fn issue(intermediate: &IntermediateAuthority) -> ServerCertificate {
    intermediate.issue_server(&local_names(), NOW, SERVER_LIFETIME, &rng()).unwrap()
}

/// What rustls says of the chain, as a client that trusts `root`.
fn verify(root: &Certificate, chain: &[Vec<u8>], name: &str, now: Timestamp) -> Result<(), TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now.seconds().unsigned_abs()));
    let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    match verifier.verify_server_cert(&chain[0], &chain[1..], &name.to_owned().try_into().unwrap(), &[], now) {
        Ok(_) => Ok(()),
        Err(Error::InvalidCertificate(error)) => Err(error),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_client_that_trusts_the_root_accepts_the_server_by_its_names_only() {
    let (root, intermediate) = authorities();
    let server = issue(&intermediate);
    for name in ["localhost", "127.0.0.1", "::1"] {
        assert_eq!(verify(root.certificate(), &server.chain_der, name, NOW), Ok(()), "{name}");
    }
    for name in ["localhost.example", "example.localhost", "127.0.0.2", "::2"] {
        let refused = verify(root.certificate(), &server.chain_der, name, NOW);
        assert!(matches!(refused, Err(TlsError::NotValidForNameContext { .. })), "{name}: {refused:?}");
    }
}

/// PKI-001: unknown authority, missing intermediate, wrong order
#[test]
fn another_root_and_an_incomplete_chain_are_not_trusted() {
    let ((root, intermediate), (other, _)) = (authorities(), authorities());
    let server = issue(&intermediate);
    let reversed: Vec<_> = server.chain_der.iter().rev().cloned().collect();
    assert!(matches!(
        verify(other.certificate(), &server.chain_der, "localhost", NOW),
        Err(TlsError::UnknownIssuer | TlsError::BadSignature)
    ));
    assert_eq!(verify(root.certificate(), &server.chain_der[..1], "localhost", NOW), Err(TlsError::UnknownIssuer));
    assert!(verify(root.certificate(), &reversed, "localhost", NOW).is_err());
}

/// PKI-001: not yet valid, expired by a second
#[test]
fn a_certificate_is_good_from_an_hour_ago_until_its_end() {
    let (root, intermediate) = authorities();
    let server = issue(&intermediate);
    let (first, last) = (NOW - HOUR, NOW + SERVER_LIFETIME);
    assert_eq!((server.certificate.not_before(), server.certificate.expires()), (first, last));
    let at = |now| verify(root.certificate(), &server.chain_der, "localhost", now);
    let second = Duration::from_secs(1);
    assert!(matches!(at(first - second), Err(TlsError::NotValidYetContext { .. })));
    assert_eq!((at(first), at(last)), (Ok(()), Ok(())));
    assert!(matches!(at(last + second), Err(TlsError::ExpiredContext { .. })));
}

#[test]
fn certificates_are_renewed_at_half_their_life() {
    let (root, intermediate) = authorities();
    assert_eq!(issue(&intermediate).certificate.renew_at(), NOW - HOUR + (7 * DAY + HOUR) / 2);
    assert_eq!(intermediate.certificate().renew_at(), NOW - HOUR + (90 * DAY + HOUR) / 2);
    assert_eq!(root.certificate().expires(), NOW + 3650 * DAY);
}

#[test]
fn no_certificate_outlives_its_issuer() {
    let (_, intermediate) = authorities();
    let end = intermediate.certificate().expires();
    let late = intermediate.issue_server(&local_names(), end - DAY, SERVER_LIFETIME, &rng()).unwrap();
    assert_eq!(late.certificate.expires(), end);
    let error = intermediate.issue_server(&local_names(), end, SERVER_LIFETIME, &rng()).unwrap_err();
    assert!(matches!(error, AuthorityError::Expired(at) if at == end), "{error}");
}

#[test]
fn each_certificate_says_what_it_may_be_used_for() {
    let (root, intermediate) = authorities();
    let server = issue(&intermediate);
    for (certificate, issuer, below) in [
        (root.certificate(), root.certificate(), Some(Some(2))),
        (intermediate.certificate(), root.certificate(), Some(Some(0))),
        (&server.certificate, intermediate.certificate(), None),
    ] {
        let parsed = X509Certificate::from_der(certificate.der()).unwrap().1;
        let issuer = X509Certificate::from_der(issuer.der()).unwrap().1;
        let constraints = parsed.basic_constraints().unwrap().unwrap();
        assert_eq!(constraints.value.ca.then_some(constraints.value.path_len_constraint), below);
        let usage = parsed.key_usage().unwrap().unwrap();
        assert!(constraints.critical && usage.critical);
        assert_eq!(usage.value.key_cert_sign() && usage.value.crl_sign(), below.is_some());
        assert_eq!(usage.value.digital_signature(), below.is_none());
        let extended = parsed.extended_key_usage().unwrap().map(|usage| usage.value);
        assert_eq!(extended.map(|usage| usage.server_auth && !usage.client_auth && !usage.any), below.is_none().then_some(true));
        assert!(parsed.issuer() == issuer.subject() && authority_key_id(&parsed) == subject_key_id(&issuer));
    }
}

fn subject_key_id<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0),
        _ => None,
    })
}

fn authority_key_id<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a [u8]> {
    certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => id.key_identifier.as_ref().map(|id| id.0),
        _ => None,
    })
}

#[test]
fn serial_numbers_and_keys_are_never_used_twice() {
    let (_, intermediate) = authorities();
    let servers: Vec<_> = (0..50).map(|_| issue(&intermediate)).collect();
    let serials: HashSet<_> = servers.iter().map(|server| server.certificate.serial().to_vec()).collect();
    let keys: HashSet<_> = servers.iter().map(|server| server.key_pkcs8.expose().to_vec()).collect();
    assert_eq!((serials.len(), keys.len()), (50, 50));
    assert!(serials.iter().all(|serial| (14..=17).contains(&serial.len())));
}

#[test]
fn authorities_come_back_from_storage() {
    let (root, intermediate) = authorities();
    let root = RootAuthority::load(root.certificate().der(), &root.key_pkcs8()).unwrap();
    let loaded = IntermediateAuthority::load(intermediate.certificate().der(), &intermediate.key_pkcs8(), root.certificate()).unwrap();
    assert_eq!(verify(root.certificate(), &issue(&loaded).chain_der, "localhost", NOW), Ok(()));
    let successor = root.issue_intermediate("Durward intermediate 2", NOW, &rng()).unwrap();
    assert_eq!(verify(root.certificate(), &issue(&successor).chain_der, "localhost", NOW), Ok(()));
}

/// FLT-027: a stored key or certificate that is not the right one
#[test]
fn a_key_or_a_certificate_of_someone_else_is_not_loaded() {
    let ((root, intermediate), (other_root, other_intermediate)) = (authorities(), authorities());
    let server = issue(&intermediate);
    let load = |certificate: &Certificate, key: &SecretBytes| {
        IntermediateAuthority::load(certificate.der(), key, root.certificate()).err().map(|error| error.to_string())
    };
    let key = intermediate.key_pkcs8();
    assert_eq!(load(intermediate.certificate(), &key), None);
    for (certificate, key, expected) in [
        (intermediate.certificate(), &other_intermediate.key_pkcs8(), AuthorityError::KeyMismatch),
        (other_intermediate.certificate(), &other_intermediate.key_pkcs8(), AuthorityError::NotIssued),
        (&server.certificate, &server.key_pkcs8, AuthorityError::NotIssued),
    ] {
        assert_eq!(load(certificate, key), Some(expected.to_string()));
    }
    let damaged = SecretBytes::new(&key.expose()[1..]);
    assert!(matches!(RootAuthority::load(root.certificate().der(), &damaged), Err(AuthorityError::Key(_))));
    assert!(matches!(RootAuthority::load(&[], &root.key_pkcs8()), Err(AuthorityError::Certificate(_))));
    assert!(matches!(RootAuthority::load(intermediate.certificate().der(), &key), Err(AuthorityError::NotIssued)));
    assert!(matches!(RootAuthority::load(other_root.certificate().der(), &root.key_pkcs8()), Err(AuthorityError::KeyMismatch)));
}

#[test]
fn a_request_that_makes_no_sense_is_refused() {
    let (root, intermediate) = authorities();
    assert!(matches!(intermediate.issue_server(&[], NOW, SERVER_LIFETIME, &rng()), Err(AuthorityError::NoNames)));
    for name in ["", &"x".repeat(65)] {
        assert!(matches!(root.issue_intermediate(name, NOW, &rng()), Err(AuthorityError::Name { .. })));
    }
    for moment in [Timestamp::default(), Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX)] {
        assert!(matches!(RootAuthority::create("Durward root", moment, &rng()), Err(AuthorityError::Time(_))), "{moment:?}");
    }
}

/// FLT-016: 2049 is the last year of UTCTime, and 2038 that of 32 bits
#[test]
fn years_on_both_sides_of_2038_and_2050_are_written_and_read() {
    for year in [2037, 2038, 2039, 2049, 2050] {
        let now = Timestamp::from_seconds((year - 1970) * 31_556_952);
        let root = RootAuthority::create("Durward root", now, &rng()).unwrap();
        let (begin, end) = (now - HOUR, now + crate::ROOT_LIFETIME);
        assert_eq!((root.certificate().not_before(), root.certificate().expires()), (begin, end));
    }
}

#[test]
fn a_long_name_stands_in_the_alternative_names_alone() {
    let (root, intermediate) = authorities();
    let name = format!("{}.example", "x".repeat(60));
    let server = intermediate.issue_server(&[name.clone().try_into().unwrap()], NOW, SERVER_LIFETIME, &rng()).unwrap();
    assert_eq!(server.certificate.common_name(), None);
    assert_eq!(verify(root.certificate(), &server.chain_der, &name, NOW), Ok(()));
}

struct Broken;

impl Entropy for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError)
    }
}

/// JOSE-057
#[test]
fn a_failing_source_of_randomness_issues_nothing() {
    assert!(std::panic::catch_unwind(|| RootAuthority::create("Durward root", NOW, &Rng::new(Broken))).is_err());
}

#[test]
fn no_private_key_prints() {
    let (root, intermediate) = authorities();
    let server = issue(&intermediate);
    let shown = format!("{root:?} {intermediate:?} {server:?}");
    for key in [root.key_pkcs8(), intermediate.key_pkcs8(), server.key_pkcs8] {
        let bytes = key.expose();
        let listed = format!("{:?}", &bytes[36..68]);
        assert!(!shown.contains(listed.trim_matches(['[', ']'])) && !shown.contains(&hex::encode(&bytes[36..68])));
    }
    assert!(shown.contains("[elided]") && shown.contains("SecretBytes(…)"));
}
