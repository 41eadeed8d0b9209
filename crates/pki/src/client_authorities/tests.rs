use durward_base::Duration;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

use super::*;
use crate::testing::NOW;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn workload(uris: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())).collect();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.serial_number = Some(SerialNumber::from(7_u64));
    params
}

fn signed(params: &CertificateParams, by: &Authority) -> ClientCertificate {
    let certificate = params.signed_by(&KeyPair::generate().unwrap(), by).unwrap();
    ClientCertificate::read(&[certificate.der().clone()]).unwrap()
}

fn authorities(by: &Authority, lists: &[String]) -> ClientAuthorities {
    let lists = lists.iter().map(String::as_bytes);
    ClientAuthorities::new(&by.pem(), lists, Some("prod.example".to_owned())).unwrap()
}

fn list(by: &Authority, serial: u64, until: i32) -> String {
    let revoked = RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: date_time_ymd(2026, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2025, 1, 1),
        next_update: date_time_ymd(until, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(by).unwrap().pem().unwrap()
}

#[test]
fn only_what_an_authority_made_for_clients_comes_in() {
    // PKI-001, PKI-002
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let trusted = authorities(&ours, &[]);
    let good = workload(&["spiffe://prod.example/payments"]);
    assert_eq!(trusted.must_vouch_for(&signed(&good, &ours), NOW), Ok(()));
    let with = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = workload(&["spiffe://prod.example/payments"]);
        change(&mut params);
        signed(&params, &ours)
    };
    for (what, certificate) in [
        ("another root", signed(&good, &theirs)),
        ("a server's", with(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth])),
        ("for nothing said", with(&|params| params.extended_key_usages = Vec::new())),
        ("for anything", with(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any])),
        ("for code", with(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning])),
        ("an authority's", with(&|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))),
        ("of before", with(&|params| params.not_after = date_time_ymd(2026, 1, 1))),
        ("of later", with(&|params| params.not_before = date_time_ymd(2090, 1, 1))),
    ] {
        assert_eq!(trusted.must_vouch_for(&certificate, NOW), Err(Unvouched::NotTrusted), "{what}");
    }
}

#[test]
fn what_was_taken_back_is_out_and_so_is_what_nobody_can_say_anything_about() {
    // PKI-008
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let certificate = signed(&workload(&["spiffe://prod.example/payments"]), &ours);
    for (lists, expected) in [
        (vec![list(&ours, 8, 2090)], Ok(())),
        (vec![list(&ours, 7, 2090)], Err(Unvouched::Revoked)),
        (vec![list(&theirs, 8, 2090)], Err(Unvouched::StatusUnknown)),
        (vec![list(&ours, 8, 2026)], Err(Unvouched::StatusUnknown)),
    ] {
        assert_eq!(authorities(&ours, &lists).must_vouch_for(&certificate, NOW + Duration::from_secs(1)), expected);
    }
}

#[test]
fn a_workload_has_exactly_one_name_of_the_trust_domain() {
    let ours = authority("ours");
    let trusted = authorities(&ours, &[]);
    let named = |uris: &[&str]| trusted.workload(&signed(&workload(uris), &ours));
    assert_eq!(named(&["spiffe://prod.example/payments"]).unwrap().unwrap().as_str(), "spiffe://prod.example/payments");
    for (uris, expected) in [
        (&[][..], Unvouched::NotOneSpiffeId),
        (&["spiffe://prod.example/a", "spiffe://prod.example/b"], Unvouched::NotOneSpiffeId),
        (&["spiffe://prod.example/a", "https://prod.example/"], Unvouched::NotOneSpiffeId),
        (&["spiffe://prod.example"], Unvouched::NotOneSpiffeId),
        (&["spiffe://Prod.example/a"], Unvouched::NotOneSpiffeId),
        (&["spiffe://prod.example.evil/a"], Unvouched::TrustDomain),
    ] {
        assert_eq!(named(uris), Err(expected), "{uris:?}");
    }
}

#[test]
fn authorities_that_do_not_read_are_none() {
    // PKI-017
    let ours = authority("ours");
    let key = KeyPair::generate().unwrap().serialize_pem();
    for roots in ["", "\n", "nothing", key.as_str()] {
        assert!(ClientAuthorities::new(roots, [], None).is_err(), "{roots:.20}");
    }
    for list in ["", "nothing", key.as_str(), ours.pem().as_str()] {
        assert_eq!(
            ClientAuthorities::new(&ours.pem(), [list.as_bytes()], None).unwrap_err(),
            ClientAuthoritiesError::List { number: 1 },
            "{list:.20}"
        );
    }
    assert!(ClientAuthorities::new(&ours.pem(), [], Some("Prod Example".to_owned())).is_err());
}
