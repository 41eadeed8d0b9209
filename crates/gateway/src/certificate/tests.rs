use durward_base::ResourceId;
use durward_feed::Snapshot;
use durward_model::resource::{Realm, Resource, Stored};
use durward_model::{CredentialKind, Position, Record};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use serde_json::{Value, json};

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_795_348_504);

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn certificate(name: &str, uri: &str, by: &Authority) -> PeerCertificate {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&KeyPair::generate().unwrap(), by).unwrap();
    PeerCertificate::proved(vec![certificate.der().clone()]).unwrap()
}

fn view(clients: &[Value]) -> View {
    let clients = clients.iter().map(|client| serde_json::from_value(client.clone()).unwrap());
    let records = std::iter::once(Resource::Realm(Realm::named("main"))).chain(clients).zip(1_u8..).map(|(resource, number)| {
        let id = ResourceId::from_bytes([number; 16]);
        Record::Resource(Box::new(Stored { id, realm: "main".to_owned(), version: 1, resource }))
    });
    View::compile(&Snapshot::new(Position { epoch: 1, seq: 1 }, records.collect::<Vec<_>>()), None).0
}

fn request(realm: &str) -> ResolveRequest {
    let (realm, kind, audience) = (realm.to_owned(), CredentialKind::ClientCertificate, "shop".to_owned());
    ResolveRequest { realm, kind, credential: "x".repeat(43), audience, address: None }
}

fn trusting(authority: &Authority) -> Vec<RealmAuthorities> {
    let authorities = ClientAuthorities::new(&authority.pem(), [], Some("prod.example".to_owned())).unwrap();
    vec![RealmAuthorities { realm: "main".to_owned(), authorities }]
}

#[test]
fn a_certificate_is_who_it_is_registered_for_or_the_workload_it_names_and_nobody_else() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let known_to = trusting(&ours);
    let by_itself = certificate("old", "urn:x", &theirs);
    let thumbprint = durward_pki::thumbprint(by_itself.der());
    let point =
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "x5t#S256": thumbprint});
    let view = view(&[
        json!({"kind": "client", "name": "legacy", "authentication": "tls_client_auth", "tls_client_auth_subject_dn": "CN=legacy", "roles": ["clerk"]}),
        json!({"kind": "client", "name": "payer", "authentication": "tls_client_auth", "runs": "payments",
            "tls_client_auth_san_uri": "spiffe://prod.example/payments"}),
        json!({"kind": "client", "name": "old", "authentication": "self_signed_tls_client_auth", "jwks": {"keys": [point]}}),
        json!({"kind": "client", "name": "dcr-1", "origin": "registered", "authentication": "tls_client_auth",
            "tls_client_auth_subject_dn": "CN=legacy"}),
        json!({"kind": "client", "name": "dcr-2", "origin": "registered", "authentication": "tls_client_auth",
            "tls_client_auth_san_uri": "spiffe://prod.example/stock"}),
        json!({"kind": "client", "name": "dcr-3", "origin": "registered", "authentication": "self_signed_tls_client_auth",
            "jwks": {"keys": [point]}}),
        json!({"kind": "client", "name": "twin-a", "authentication": "tls_client_auth", "tls_client_auth_subject_dn": "CN=twin"}),
        json!({"kind": "client", "name": "twin-b", "authentication": "tls_client_auth", "tls_client_auth_subject_dn": "CN=twin"}),
    ]);
    let found = |certificate: &PeerCertificate, realm: &str, now| resolve(&view, &known_to, certificate, &request(realm), now);
    for (certificate, kind, id, roles) in [
        (certificate("legacy", "urn:x", &ours), PrincipalKind::Client, "legacy", &["clerk"][..]),
        (certificate("any", "spiffe://prod.example/payments", &ours), PrincipalKind::Service, "payments", &[]),
        (certificate("any", "spiffe://prod.example/stock", &ours), PrincipalKind::Service, "spiffe://prod.example/stock", &[]),
        (by_itself.clone(), PrincipalKind::Client, "old", &[]),
    ] {
        let Ok(Resolution::Proved(resolved)) = found(&certificate, "main", NOW) else { panic!("{id}") };
        assert_eq!((resolved.kind, resolved.id.as_str()), (kind, id));
        assert_eq!(
            (resolved.roles.iter().map(String::as_str).collect::<Vec<_>>(), resolved.audience.as_str()),
            (roles.to_vec(), "shop"),
            "{id}"
        );
        assert_eq!(resolved.credential.id, durward_pki::thumbprint(certificate.der()));
        assert!(resolved.until <= NOW + HOLDS);
        assert!(is_known(&view, &known_to, &ClientCertificate::read(certificate.chain()).unwrap(), NOW), "{id}");
    }
    let stock = certificate("any", "spiffe://prod.example/stock", &ours);
    for (what, certificate, realm, reason) in [
        ("another root", certificate("legacy", "spiffe://prod.example/a", &theirs), "main", "certificate_untrusted"),
        ("another trust domain", certificate("any", "spiffe://other.example/a", &ours), "main", "trust_domain"),
        ("nobody", certificate("any", "urn:x", &ours), "main", "spiffe_id"),
        ("one of two", certificate("twin", "urn:x", &ours), "main", "spiffe_id"),
        ("another realm", stock.clone(), "other", "certificate_untrusted"),
    ] {
        assert_eq!(found(&certificate, realm, NOW).unwrap_err().reason(), reason, "{what}");
        let known = is_known(&view, &known_to, &ClientCertificate::read(certificate.chain()).unwrap(), NOW);
        assert_eq!(known, what != "another root", "{what}: whose it is does not matter to the handshake");
    }
    let late = Timestamp::from_seconds(9_000_000_000_000);
    assert_eq!(found(&stock, "main", late).unwrap_err().reason(), "token_expired");
    assert!(!is_known(&view, &known_to, &ClientCertificate::read(stock.chain()).unwrap(), late));
}
