//! RFC 8705: clients that authenticate by certificate, and tokens bound to one.

use durward_model::resource::{Client, ClientAuthentication};
use durward_net::PeerCertificate;
use durward_pki::thumbprint;
use serde_json::Value;

use crate::fixture::certificates::{authority, installation, params, self_signed, signed};
use crate::fixture::{Answer, MUTUAL_TLS_URL, World, web_request as web};

/// A client-credentials token of `signer`, asked for with a certificate.
async fn ask(world: &World, certificate: Option<PeerCertificate>) -> Answer {
    let mut browser = world.browser();
    browser.certificate = certificate;
    browser.token(&[("grant_type", "client_credentials"), ("client_id", "signer")]).await
}

fn by_certificate(client: &mut Client) {
    client.authentication = ClientAuthentication::TlsClientAuth;
    client.jwks = None;
    client.tls_client_certificate_bound_access_tokens = true;
    client.tls_client_auth_san_dns = Some("signer.shop.example".to_owned());
}

fn said(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&durward_base::base64url::decode(claims).unwrap()).unwrap()
}

#[tokio::test]
async fn a_client_is_who_its_trusted_certificate_says() {
    let world = World::new().await;
    world.change_client("signer", by_certificate).await;
    let good = signed(&params(), installation());
    let answer = ask(&world, good.clone()).await;
    assert_eq!(answer.text("token_type"), "Bearer", "RFC 8705 has no scheme of its own");
    assert_eq!(said(&answer.text("access_token"))["cnf"]["x5t#S256"], thumbprint(good.unwrap().der()));
    let (mut expired, mut other) = (params(), params());
    (expired.not_before, expired.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
    other.subject_alt_names = vec![rcgen::SanType::DnsName("other.shop.example".try_into().unwrap())];
    for (id, certificate, reason) in [
        ("none", None, "client.certificate_missing"),
        ("of another name", signed(&other, installation()), "client.certificate_subject"),
        ("PKI-001", signed(&params(), &authority()), "client.certificate_untrusted"),
        ("PKI-001", self_signed().0, "client.certificate_untrusted"),
        ("CLI-012", signed(&expired, installation()), "client.certificate_expired"),
    ] {
        assert_eq!(ask(&world, certificate).await.is_error(401, "invalid_client").reason(), reason, "{id}");
    }
}

#[tokio::test]
async fn a_client_is_known_by_the_one_subject_it_registered() {
    let world = World::new().await;
    type Member = fn(&mut Client) -> &mut Option<String>;
    let members: [(Member, &str, &str); 5] = [
        (|client| &mut client.tls_client_auth_subject_dn, "CN=signer,O=Harbour Shop", "O=Harbour Shop,CN=signer"),
        (|client| &mut client.tls_client_auth_san_dns, "signer.shop.example", "shop.example"),
        (|client| &mut client.tls_client_auth_san_uri, "urn:shop:signer", "urn:shop:sign"),
        (|client| &mut client.tls_client_auth_san_ip, "192.0.2.9", "192.0.2.8"),
        (|client| &mut client.tls_client_auth_san_email, "signer@shop.example", "Signer@shop.example"),
    ];
    for (member, right, wrong) in members {
        for (subject, status) in [(right, 200), (wrong, 401)] {
            world
                .change_client("signer", |client| {
                    by_certificate(client);
                    client.tls_client_auth_san_dns = None;
                    *member(client) = Some(subject.to_owned());
                })
                .await;
            assert_eq!(ask(&world, signed(&params(), installation())).await.status, status, "{subject}");
            world.change_client("signer", |client| *member(client) = None).await;
        }
    }
    assert_eq!(ask(&world, signed(&params(), installation())).await.status, 401, "with none registered it is nobody's");
}

#[tokio::test]
async fn a_realm_may_declare_whose_certificates_count() {
    let world = World::new().await;
    world.change_client("signer", by_certificate).await;
    let theirs = authority();
    let pem = durward_pki::Certificate::from_der(theirs.der()).unwrap().to_pem();
    world.change_realm("main", |realm| realm.client_certificate_authorities = Some(pem)).await;
    assert_eq!(ask(&world, signed(&params(), &theirs)).await.status, 200);
    assert_eq!(ask(&world, signed(&params(), installation())).await.status, 401, "and no longer the installation's own");
}

#[tokio::test]
async fn a_self_signed_certificate_is_good_for_the_client_that_registered_it() {
    let world = World::new().await;
    let (registered, jwks) = self_signed();
    world
        .change_client("signer", |client| {
            client.authentication = ClientAuthentication::SelfSignedTlsClientAuth;
            client.jwks = Some(jwks);
        })
        .await;
    assert_eq!(ask(&world, registered).await.status, 200);
    for certificate in [self_signed().0, signed(&params(), installation()), None] {
        ask(&world, certificate).await.is_error(401, "invalid_client");
    }
}

#[tokio::test]
async fn no_header_and_no_other_method_stands_for_the_certificate() {
    let world = World::new().await;
    world.change_client("signer", by_certificate).await;
    let pem = durward_pki::Certificate::from_der(signed(&params(), installation()).unwrap().der()).unwrap().to_pem().replace('\n', "");
    for header in ["x-forwarded-client-cert", "x-ssl-client-cert", "client-cert", "x-client-cert", "ssl-client-cert"] {
        let mut browser = world.browser();
        browser.with(header, &pem);
        let answer = browser.token(&[("grant_type", "client_credentials"), ("client_id", "signer")]).await;
        assert_eq!(answer.is_error(401, "invalid_client").reason(), "client.certificate_missing", "CLI-011 {header}");
    }
    let mut browser = world.browser();
    browser.certificate = signed(&params(), installation());
    let answer = browser.token(&[("grant_type", "client_credentials"), ("client_id", "signer"), ("client_secret", "guess")]).await;
    assert_eq!(answer.is_error(401, "invalid_client").reason(), "client.auth_method_mismatch", "CLI-002");
    let answer = browser.token(&[("grant_type", "client_credentials"), ("client_id", "payments-program")]).await;
    assert_eq!(answer.is_error(401, "invalid_client").reason(), "client.auth_method_mismatch", "CLI-002 the other way round");
}

#[tokio::test]
async fn a_public_client_s_tokens_are_bound_to_its_certificate() {
    let world = World::new().await;
    world.change_client("web", |client| client.tls_client_certificate_bound_access_tokens = true).await;
    let mut browser = world.browser();
    let code = browser.arrive(&web(&[]), "alice").await.code();
    assert_eq!(browser.redeem(&code, &[]).await.is_error(400, "invalid_request").reason(), "client.certificate_missing");
    browser.certificate = self_signed().0;
    let tokens = browser.redeem(&code, &[]).await;
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    assert_eq!(browser.refresh(&refresh, &[]).await.text("refresh_token"), refresh, "bound, so it need not rotate");
    assert_eq!(browser.userinfo(&access).await.status, 200);
    for certificate in [self_signed().0, None] {
        browser.certificate = certificate;
        let stolen = browser.userinfo(&access).await;
        assert_eq!((stolen.status.as_u16(), stolen.reason()), (401, "certificate_mismatch"), "CLI-012");
        assert_eq!(stolen.header("www-authenticate"), "Bearer realm=\"main\", error=\"invalid_token\"");
        assert_eq!(browser.refresh(&refresh, &[]).await.status, 400);
    }
}

#[tokio::test]
async fn discovery_leads_clients_with_certificates_to_the_listener_that_asks_for_one() {
    let world = World::new().await;
    let document = world.browser().get("/realms/main/.well-known/openid-configuration").await.json();
    let aliases = document["mtls_endpoint_aliases"].as_object().unwrap();
    for endpoint in
        ["token_endpoint", "device_authorization_endpoint", "introspection_endpoint", "revocation_endpoint", "userinfo_endpoint"]
    {
        assert!(aliases[endpoint].as_str().unwrap().starts_with(&format!("{MUTUAL_TLS_URL}/realms/main/oauth2/")), "{endpoint}");
    }
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
    let methods = document["token_endpoint_auth_methods_supported"].to_string();
    assert!(methods.contains("\"tls_client_auth\"") && methods.contains("\"self_signed_tls_client_auth\""), "{methods}");
}
