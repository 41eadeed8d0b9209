use durward_model::ResourceKind;
use durward_model::resource::{Client, ClientAuthentication, Realm, Service};
use durward_model::{GrantType, resource::SecretReference};
use durward_oauth::Registry;
use durward_oauth::client_metadata::{self, Names};
use serde_json::json;

use crate::fixture::{World, keys, portal, program, service, web};

impl Names for World {
    fn exists(&self, kind: ResourceKind, name: &str) -> bool {
        let role = kind == ResourceKind::Role && ["machine", "clerk"].contains(&name);
        role || self.resources.iter().any(|stored| stored.resource.kind() == kind && stored.resource.name() == name)
    }
    fn service(&self, name: &str) -> Option<&Service> {
        Registry::service(self, name)
    }
}

#[test]
fn the_clients_of_the_shop_are_as_they_should_be() {
    let world = World::new();
    for client in [web(), portal(), program("payments-program", "payments")] {
        assert_eq!(client_metadata::client(&client, &world), [], "{}", client.name);
    }
    assert_eq!(client_metadata::service(&service("payments", &["orders:read"]), &world), []);
    assert_eq!(client_metadata::realm(&Realm::named("main")), []);
}

/// AUTHZ-003, AUTHZ-005, AUTHZ-006, JOSE-029, R14
#[test]
fn what_a_client_must_not_be_is_told_with_its_field() {
    let world = World::new();
    let private = |jwks| Client { authentication: ClientAuthentication::PrivateKeyJwt, jwks, ..portal() };
    let implicit = |client| Client { legacy_grants: vec![durward_model::LegacyGrant::Implicit], ..client };
    let weak = json!({ "keys": [{ "kty": "RSA", "e": "AQAB", "n": "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1WlUzewbgBHod5pcM9H95GQRV3JDXbo" }] });
    for (name, client, field) in [
        ("a name with a space", Client { name: "my app".into(), ..web() }, "name"),
        ("implicit and a binding", implicit(Client { dpop_bound_access_tokens: true, ..web() }), "legacy_grants"),
        (
            "implicit and a secret",
            implicit(Client { id_token_signed_response_alg: Some("HS256".into()), ..portal() }),
            "id_token_signed_response_alg",
        ),
        ("implicit and no address", implicit(program("batch", "payments")), "redirect_uris"),
        ("no name", Client { name: String::new(), ..web() }, "name"),
        ("a service's name", Client { name: "payments".into(), ..web() }, "name"),
        ("a built-in name", Client { name: "durward-cli".into(), ..web() }, "name"),
        ("a colon and Basic", Client { name: "urn:x".into(), ..portal() }, "name"),
        ("AUTHZ-005", Client { redirect_uris: vec!["javascript:alert(1)".into()], ..web() }, "redirect_uris[0]"),
        (
            "AUTHZ-006",
            Client { redirect_uris: vec!["https://a.example/".into(), "https://*.a.example/".into()], ..web() },
            "redirect_uris[1]",
        ),
        ("AUTHZ-003", Client { post_logout_redirect_uris: vec!["https://a@b.example/".into()], ..web() }, "post_logout_redirect_uris[0]"),
        ("a code with nowhere to go", Client { redirect_uris: vec![], ..web() }, "redirect_uris"),
        ("a public program", Client { grants: vec![GrantType::AuthorizationCode, GrantType::ClientCredentials], ..web() }, "grants"),
        ("a refresh of nothing", Client { grants: vec![GrantType::RefreshToken], ..web() }, "grants"),
        ("keys missing", private(None), "jwks"),
        ("no keys", private(Some(json!({ "keys": [] }))), "jwks"),
        ("a private key", private(Some(json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] }))), "jwks"),
        ("JOSE-029 a weak key", private(Some(weak)), "jwks.keys[0]"),
        ("a secret for nothing", Client { secrets: vec![SecretReference::Environment("X".into())], ..web() }, "secrets"),
        ("an unknown service", Client { services: vec!["payments".into(), "nowhere".into()], ..web() }, "services[1]"),
        ("an unknown program", Client { runs: Some("nowhere".into()), ..portal() }, "runs"),
        ("a public program", Client { runs: Some("payments".into()), ..web() }, "runs"),
        ("an unknown scope", Client { scopes: vec!["openid".into(), "stock:write".into()], ..web() }, "scopes[1]"),
        ("an administrative scope", Client { scopes: vec!["durward-admin".into()], ..web() }, "scopes[0]"),
        ("an unknown role", Client { roles: vec!["nobody".into()], ..program("p", "payments") }, "roles[0]"),
        ("roles for nothing", Client { roles: vec!["machine".into()], ..web() }, "roles"),
        ("an unknown algorithm", Client { id_token_signed_response_alg: Some("none".into()), ..web() }, "id_token_signed_response_alg"),
    ] {
        let problems = client_metadata::client(&client, &world);
        assert!(problems.iter().any(|problem| problem.field == field), "{name}: {problems:?}");
    }
}

#[test]
fn what_a_service_or_realm_must_not_be_is_told_with_its_field() {
    let world = World::new();
    for (name, service, field) in [
        ("a client's name", service("web", &[]), "name"),
        ("a built-in name", service("urn:durward:fleet", &[]), "name"),
        ("a fragment", service("https://api.example/#x", &[]), "name"),
        ("the realm's scope", service("s", &["a", "openid"]), "scopes[1].name"),
        ("no scope token", service("s", &["a b"]), "scopes[0].name"),
        ("twice", service("s", &["a", "a"]), "scopes[1].name"),
    ] {
        let problems = client_metadata::service(&service, &world);
        assert!(problems.iter().any(|problem| problem.field == field), "{name}: {problems:?}");
    }
    for (realm, field) in [
        (Realm { access_token_seconds: 29, ..Realm::named("main") }, "access_token_seconds"),
        (Realm { access_token_seconds: 3601, ..Realm::named("main") }, "access_token_seconds"),
        (Realm { session_seconds: 0, ..Realm::named("main") }, "session_seconds"),
        (Realm::named("Main"), "name"),
        (Realm::named("a/b"), "name"),
        (Realm::named(""), "name"),
    ] {
        let problems = client_metadata::realm(&realm);
        assert!(problems.iter().any(|problem| problem.field == field), "{problems:?}");
    }
}

/// RFC 8705 sections 2.1.2, 2.2.2 and 3.4
#[test]
fn what_a_client_with_a_certificate_must_not_be_is_told_with_its_field() {
    let world = World::new();
    let tls =
        Client { authentication: ClientAuthentication::TlsClientAuth, tls_client_auth_san_dns: Some("portal.example".into()), ..portal() };
    assert_eq!(client_metadata::client(&tls, &world), []);
    let key = json!({ "keys": [keys().es256.jwk()] });
    for (name, client, field) in [
        ("no subject", Client { tls_client_auth_san_dns: None, ..tls.clone() }, "tls_client_auth_subject_dn"),
        (
            "a name of nothing",
            Client { tls_client_auth_san_dns: None, tls_client_auth_subject_dn: Some("=".into()), ..tls.clone() },
            "tls_client_auth_subject_dn",
        ),
        ("two subjects", Client { tls_client_auth_san_ip: Some("192.0.2.1".into()), ..tls.clone() }, "tls_client_auth_subject_dn"),
        ("a wildcard", Client { tls_client_auth_san_dns: Some("*.example".into()), ..tls.clone() }, "tls_client_auth_san_dns"),
        (
            "no address",
            Client { tls_client_auth_san_dns: None, tls_client_auth_san_ip: Some("192.0.2".into()), ..tls.clone() },
            "tls_client_auth_san_ip",
        ),
        ("a subject for nothing", Client { tls_client_auth_san_dns: Some("a.example".into()), ..portal() }, "tls_client_auth_san_dns"),
        (
            "a key without a certificate",
            Client { authentication: ClientAuthentication::SelfSignedTlsClientAuth, jwks: Some(key), ..portal() },
            "jwks",
        ),
        (
            "bound to two keys",
            Client { dpop_bound_access_tokens: true, tls_client_certificate_bound_access_tokens: true, ..tls.clone() },
            "dpop_bound_access_tokens",
        ),
    ] {
        let problems = client_metadata::client(&client, &world);
        assert!(problems.iter().any(|problem| problem.field == field), "{name}: {problems:?}");
    }
    let realm = Realm { client_certificate_authorities: Some("-----BEGIN".into()), ..Realm::named("main") };
    assert_eq!(client_metadata::realm(&realm)[0].field, "client_certificate_authorities");
}

/// Any client may sign its requests or have its answers encrypted, and RFC 7517 section 5: keys of other kinds are no fault.
#[test]
fn any_client_may_have_keys_and_those_of_other_kinds_are_left_alone() {
    let world = World::new();
    let foreign = json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" });
    let wrapping = json!({ "kty": "RSA", "use": "enc", "alg": "RSA1_5", "e": "AQAB", "n": "AA" });
    let jwks = json!({ "keys": [keys().es256.jwk(), foreign, wrapping] });
    for client in [web(), portal()] {
        assert_eq!(client_metadata::client(&Client { jwks: Some(jwks.clone()), ..client }, &world), []);
    }
    let broken = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }] });
    let problems = client_metadata::client(&Client { jwks: Some(broken), ..portal() }, &world);
    assert_eq!(problems[0].field, "jwks.keys[0]");
}
