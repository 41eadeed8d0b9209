use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};

use super::*;
use crate::Certificate;
use crate::testing::NOW;

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn client() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Shop, Inc.");
    params.distinguished_name.push(DnType::CommonName, "payments");
    params.subject_alt_names = vec![
        SanType::DnsName("payments.example".try_into().unwrap()),
        SanType::URI("urn:example:payments".try_into().unwrap()),
        SanType::IpAddress("192.0.2.1".parse().unwrap()),
        SanType::Rfc822Name("payments@shop.example".try_into().unwrap()),
    ];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn signed(params: &CertificateParams, by: &CertifiedIssuer<'_, KeyPair>) -> ClientCertificate {
    let certificate = params.signed_by(&KeyPair::generate().unwrap(), by).unwrap();
    ClientCertificate::read(&[certificate.der().clone()]).unwrap()
}

fn bundle(authority: &CertifiedIssuer<'_, KeyPair>) -> TrustBundle {
    TrustBundle::new(vec![Certificate::from_der(authority.der()).unwrap()]).unwrap()
}

#[test]
fn a_certificate_says_by_what_its_client_may_be_known() {
    let certificate = signed(&client(), &authority("root"));
    assert_eq!(certificate.subject(), Some("CN=payments,O=Shop\\, Inc."), "RFC 4514: the last part first");
    assert_eq!(
        certificate.names(),
        [
            SubjectName::Dns("payments.example".to_owned()),
            SubjectName::Uri("urn:example:payments".to_owned()),
            SubjectName::Ip("192.0.2.1".parse().unwrap()),
            SubjectName::Email("payments@shop.example".to_owned()),
        ]
    );
    assert_eq!(certificate.thumbprint().len(), 43);
}

#[test]
fn only_a_path_from_a_declared_root_for_authenticating_clients_is_trusted() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let roots = bundle(&ours);
    assert_eq!(signed(&client(), &ours).must_be_trusted(&roots, NOW), Ok(()));
    assert_eq!(signed(&client(), &theirs).must_be_trusted(&roots, NOW), Err(NotTrusted), "another authority");
    assert_eq!(signed(&client(), &authority("ours")).must_be_trusted(&roots, NOW), Err(NotTrusted), "one of the same name");
    let itself = client().self_signed(&KeyPair::generate().unwrap()).unwrap();
    let itself = ClientCertificate::read(&[itself.der().clone()]).unwrap();
    assert_eq!(itself.must_be_trusted(&roots, NOW), Err(NotTrusted), "self-signed");
    let mut server = client();
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    assert_eq!(signed(&server, &ours).must_be_trusted(&roots, NOW), Err(NotTrusted), "PKI-002: a server's");
}

#[test]
fn a_certificate_whose_time_is_over_is_good_for_nothing() {
    // CLI-012
    let ours = authority("ours");
    let mut params = client();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let expired = signed(&params, &ours);
    assert!(!expired.is_timely(NOW));
    assert_eq!(expired.must_be_trusted(&bundle(&ours), NOW), Err(NotTrusted));
    assert!(expired.is_timely(Timestamp::from_seconds(1_600_000_000)));
}

#[test]
fn what_is_no_certificate_is_not_read() {
    assert!(ClientCertificate::read(&[]).is_err());
    assert!(ClientCertificate::read(&[CertificateDer::from(vec![0x30, 0])]).is_err());
}
