use durward_base::{Duration, Timestamp};
use durward_jose::{Algorithm, SigningKey};
use durward_model::Write;
use durward_model::resource::ClientAuthentication;
use durward_oauth::client_authentication::PresentedClient;
use durward_oauth::{OAuthError, Registry};
use serde_json::{Value, json};

use crate::fixture::{ISSUER, NOW, World, basic, form, keys, secret_of};

const ASSERTION_TYPE: (&str, &str) = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");

fn authenticate(world: &World, headers: &[&str], body: &[(&str, &str)], now: Timestamp) -> Result<Option<Write>, OAuthError> {
    let parameters = form(body);
    let presented = PresentedClient::read(headers, &parameters)?;
    presented.authenticate(world, &world.hasher, now).map(|client| client.spend().into_iter().next())
}

fn refused(world: &World, headers: &[&str], body: &[(&str, &str)]) -> (&'static str, u16, &'static str) {
    let error = authenticate(world, headers, body, NOW).unwrap_err();
    (error.code.name(), error.status(), error.reason)
}

#[test]
fn each_method_authenticates_the_client_that_is_registered_for_it() {
    let world = World::new();
    assert!(authenticate(&world, &[], &[("client_id", "web")], NOW).unwrap().is_none());
    assert!(authenticate(&world, &[&basic("portal", &secret_of("portal"))], &[], NOW).is_ok());
    assert!(authenticate(&world, &[&basic("portal", &secret_of("portal"))], &[("client_id", "portal")], NOW).is_ok());
    let program = "payments-program";
    assert!(authenticate(&world, &[], &[("client_id", program), ("client_secret", &secret_of(program))], NOW).is_ok());
}

/// CLI-002
#[test]
fn a_method_that_is_not_the_registered_one_is_refused_even_with_the_right_secret() {
    let mut world = World::new();
    world.change_client("inventory-program", |client| client.authentication = ClientAuthentication::PrivateKeyJwt);
    let mismatch = ("invalid_client", 401, "client.auth_method_mismatch");
    for client in ["portal", "payments-program", "inventory-program"] {
        assert_eq!(refused(&world, &[], &[("client_id", client)]), mismatch, "{client} with nothing");
    }
    assert_eq!(refused(&world, &[], &[("client_id", "portal"), ("client_secret", &secret_of("portal"))]), mismatch);
    let secret = secret_of("inventory-program");
    assert_eq!(refused(&world, &[&basic("inventory-program", &secret)], &[]), mismatch);
    assert_eq!(refused(&world, &[], &[("client_id", "inventory-program"), ("client_secret", &secret)]), mismatch);
    assert_eq!(refused(&world, &[&basic("web", "anything")], &[]), mismatch, "a public client has no secret to send");
}

#[test]
fn two_credentials_in_one_request_are_refused() {
    let world = World::new();
    let header = basic("portal", &secret_of("portal"));
    for (headers, body) in [
        (vec![header.as_str()], vec![("client_id", "portal"), ("client_secret", "x")]),
        (vec![header.as_str()], vec![("client_assertion", "a.b.c"), ASSERTION_TYPE]),
        (vec![header.as_str(), header.as_str()], vec![]),
        (vec![], vec![("client_id", "portal"), ("client_secret", "x"), ("client_assertion", "a.b.c")]),
    ] {
        assert_eq!(refused(&world, &headers, &body), ("invalid_request", 400, "client.several_methods"));
    }
    assert_eq!(refused(&world, &[&header], &[("client_id", "web")]), ("invalid_client", 401, "client.contradiction"));
}

/// CLI-008: one answer, whatever is wrong.
#[test]
fn an_unknown_client_and_a_wrong_secret_get_the_same_answer() {
    let world = World::new();
    let errors = [
        authenticate(&world, &[&basic("nobody", "wrong")], &[], NOW).unwrap_err(),
        authenticate(&world, &[&basic("portal", "wrong")], &[], NOW).unwrap_err(),
        authenticate(&world, &[&basic("portal", "")], &[], NOW).unwrap_err(),
        authenticate(&world, &[], &[("client_id", "nobody")], NOW).unwrap_err(),
    ];
    let bodies: Vec<_> = errors.iter().map(|error| (error.status(), serde_json::to_string(&error.body()).unwrap())).collect();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
}

#[test]
fn a_malformed_basic_header_is_refused() {
    let world = World::new();
    for header in ["Basic", "Basic !!!", "Bearer abc", "Basic cG9ydGFs", "Basic cG9ydGFsOng", "Basic /w==", "", "Basic  cG9ydGFsOng="] {
        assert_eq!(refused(&world, &[header], &[]).0, "invalid_client", "{header:?}");
    }
}

#[test]
fn names_and_secrets_in_a_basic_header_are_form_encoded() {
    let mut world = World::new();
    world.add_secret("portal", "a+b%c:d", None);
    assert!(authenticate(&world, &[&basic("portal", "a%2Bb%25c%3Ad")], &[], NOW).is_ok());
    assert!(authenticate(&world, &[&basic("portal", "a+b%25c:d")], &[], NOW).is_err());
}

/// CLI-013
#[test]
fn a_secret_is_accepted_up_to_its_end_beside_its_successor() {
    let mut world = World::new();
    let day = Duration::from_secs(86_400);
    world.secrets.clear();
    world.add_secret("portal", "old-secret", Some(NOW + day));
    world.add_secret("portal", "new-secret", None);
    let good = |secret: &str, now| authenticate(&world, &[&basic("portal", secret)], &[], now).is_ok();
    assert!(good("old-secret", NOW + Duration::from_secs(82_800)) && good("new-secret", NOW));
    assert!(!good("old-secret", NOW + day) && !good("old-secret", NOW + day + Duration::from_secs(3600)));
    assert!(good("new-secret", NOW + day + day));
}

#[test]
fn a_disabled_client_proves_nothing() {
    let mut world = World::new();
    world.change_client("portal", |client| client.disabled = true);
    assert_eq!(refused(&world, &[&basic("portal", &secret_of("portal"))], &[]).2, "client.disabled");
}

struct Signed {
    world: World,
    key: SigningKey,
}

impl Signed {
    fn new() -> Self {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let mut world = World::new();
        world.change_client("payments-program", |client| {
            client.authentication = ClientAuthentication::PrivateKeyJwt;
            client.jwks = Some(json!({ "keys": [key.jwk()] }));
        });
        Self { world, key }
    }

    fn authenticate(&self, assertion: &str, now: Timestamp) -> Result<Option<Write>, OAuthError> {
        authenticate(&self.world, &[], &[("client_assertion", assertion), ASSERTION_TYPE], now)
    }
}

fn assertion_claims() -> Value {
    let (now, exp) = (NOW.seconds(), NOW.seconds() + 60);
    json!({ "iss": "payments-program", "sub": "payments-program", "aud": ISSUER, "exp": exp, "iat": now, "jti": "assertion-1" })
}

fn changed(name: &str, value: Value) -> Value {
    let mut claims = assertion_claims();
    claims[name] = value;
    if claims[name].is_null() {
        claims.as_object_mut().unwrap().remove(name);
    }
    claims
}

/// CLI-005: what is good is good once; the write that uses it up has a guard.
#[test]
fn a_good_assertion_authenticates_and_is_used_up() {
    let signed = Signed::new();
    let spend = |claims: &Value| match signed.authenticate(&signed.key.sign("JWT", claims).unwrap(), NOW).unwrap() {
        Some(Write::Spend { id, expires, .. }) => {
            assert!(expires >= NOW + Duration::from_secs(60));
            id
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(spend(&assertion_claims()), spend(&assertion_claims()), "the same assertion is the same id");
    assert_ne!(spend(&assertion_claims()), spend(&changed("jti", json!("assertion-2"))));
    signed.authenticate(&signed.key.sign("client-authentication+jwt", &assertion_claims()).unwrap(), NOW).unwrap();
}

/// CLI-002, CLI-004, CLI-005, CLI-006
#[test]
fn an_assertion_with_one_thing_wrong_is_refused() {
    let signed = Signed::new();
    let seconds = |offset: i64| json!(NOW.seconds() + offset);
    for (attack, claims) in [
        ("CLI-004 token endpoint", changed("aud", json!(format!("{ISSUER}/oauth2/token")))),
        ("CLI-004 several", changed("aud", json!([ISSUER, "https://other.example"]))),
        ("CLI-004 an array of one", changed("aud", json!([ISSUER]))),
        ("CLI-004 another issuer", changed("aud", json!("https://other.example/realms/main"))),
        ("CLI-004 a slash more", changed("aud", json!(format!("{ISSUER}/")))),
        ("CLI-004 upper case", changed("aud", json!(ISSUER.to_uppercase()))),
        ("CLI-004 none", changed("aud", Value::Null)),
        ("CLI-005 no jti", changed("jti", Value::Null)),
        ("CLI-005 empty jti", changed("jti", json!(""))),
        ("CLI-005 jti of another type", changed("jti", json!(1))),
        ("CLI-006 iss is not sub", changed("sub", json!("portal"))),
        ("CLI-006 no sub", changed("sub", Value::Null)),
        ("CLI-006 another iss", changed("iss", json!("portal"))),
        ("CLI-006 a day long", changed("exp", seconds(86_400))),
        ("CLI-006 just too long", changed("exp", seconds(311))),
        ("CLI-006 expired", changed("exp", seconds(-10))),
        ("CLI-006 no exp", changed("exp", Value::Null)),
        ("CLI-006 exp as text", changed("exp", json!("1900000000"))),
        ("CLI-006 not yet", changed("nbf", seconds(3600))),
        ("CLI-006 issued in the future", changed("iat", seconds(3600))),
    ] {
        let error = signed.authenticate(&signed.key.sign("JWT", &claims).unwrap(), NOW).expect_err(attack);
        assert_eq!((error.code.name(), error.status()), ("invalid_client", 401), "{attack}");
    }
}

/// CLI-002, CLI-006
#[test]
fn an_assertion_of_another_key_kind_or_size_is_refused() {
    let signed = Signed::new();
    let claims = assertion_claims();
    let other = SigningKey::generate(Algorithm::ES256).unwrap();
    let good = signed.key.sign("JWT", &claims).unwrap();
    let (body, _) = good.rsplit_once('.').unwrap();
    let encode = |text: &str| durward_base::base64url::encode(text.as_bytes());
    let payload = body.split_once('.').unwrap().1;
    let jwk = serde_json::to_string(&signed.key.jwk()).unwrap();
    for (attack, assertion) in [
        ("signed by another key", other.sign("JWT", &claims).unwrap()),
        ("signed by the authority's key", keys().es256.sign("JWT", &claims).unwrap()),
        ("unsigned", format!("{body}.")),
        ("alg none", format!("{}.{payload}.AA", encode(r#"{"alg":"none"}"#))),
        ("alg HS256", format!("{}.{payload}.{}", encode(&format!(r#"{{"alg":"HS256","kid":"{}"}}"#, signed.key.kid())), encode(&jwk))),
        ("typ at+jwt", signed.key.sign("at+jwt", &claims).unwrap()),
        ("typ dpop+jwt", signed.key.sign("dpop+jwt", &claims).unwrap()),
        ("40 KiB", signed.key.sign("JWT", &changed("padding", json!("x".repeat(40 * 1024)))).unwrap()),
    ] {
        assert_eq!(signed.authenticate(&assertion, NOW).expect_err(attack).code.name(), "invalid_client", "{attack}");
    }
    let wrong_type =
        [("client_assertion", good.as_str()), ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")];
    assert_eq!(refused(&signed.world, &[], &wrong_type).2, "client.assertion_type");
    let named = [("client_assertion", good.as_str()), ASSERTION_TYPE, ("client_id", "portal")];
    assert_eq!(refused(&signed.world, &[], &named).2, "client.contradiction");
}

/// CLI-006
#[test]
fn a_key_that_was_removed_from_the_set_no_longer_counts() {
    let mut signed = Signed::new();
    let assertion = signed.key.sign("JWT", &assertion_claims()).unwrap();
    let next = SigningKey::generate(Algorithm::EdDSA).unwrap();
    signed.world.change_client("payments-program", |client| client.jwks = Some(json!({ "keys": [next.jwk()] })));
    assert_eq!(signed.authenticate(&assertion, NOW).unwrap_err().reason, "client.assertion_key_unknown");
    signed.authenticate(&next.sign("JWT", &assertion_claims()).unwrap(), NOW).unwrap();
}

/// CLI-004: the audience is the realm's issuer, not the installation's.
#[test]
fn an_assertion_for_another_realm_is_refused() {
    let signed = Signed::new();
    let other = signed.world.issuer().replace("main", "other");
    let assertion = signed.key.sign("JWT", &changed("aud", json!(other))).unwrap();
    assert_eq!(signed.authenticate(&assertion, NOW).unwrap_err().reason, "client.assertion_audience");
}
