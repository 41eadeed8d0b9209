//! RFC 9126, RFC 9101 and the FAPI 2.0 profiles: requests that come by the back channel, signed, or both.

use durward_base::{Duration, Timestamp};
use durward_jose::{Algorithm, SigningKey};
use durward_model::resource::{Client, ClientAuthentication, Profile};
use durward_oauth::authorize::{AuthorizationRequest, Refusal};
use durward_oauth::{ErrorCode, OAuthError, client_metadata, par};
use serde_json::{Value, json};

use crate::fixture::{CHALLENGE, ISSUER, NOW, World, form, with};

const GOOD: [(&str, &str); 6] = [
    ("redirect_uri", "https://portal.example/callback"),
    ("response_type", "code"),
    ("scope", "openid orders:read"),
    ("state", "af0ifjsldkj"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

fn push(world: &World, changes: &[(&str, &str)]) -> Result<AuthorizationRequest, OAuthError> {
    par::push(form(&with(&GOOD, changes)), world, (&world.authenticated("portal"), None), [7; 16], NOW)
}

/// The request URI, as it goes through a browser.
fn pushed(world: &World) -> String {
    let request = push(world, &[]).unwrap();
    let answer = serde_json::to_value(par::seal(&request, &world.states, world, &world.rng, NOW).unwrap()).unwrap();
    assert_eq!(answer["expires_in"], 60);
    answer["request_uri"].as_str().unwrap().to_owned()
}

fn open(world: &World, query: &[(&str, &str)], now: Timestamp) -> Result<AuthorizationRequest, OAuthError> {
    let parameters = form(query);
    par::open(par::reference(&parameters).expect("one of ours"), &parameters, world, &world.states, now)
}

/// PAR-003: only the client and the URI are read from the browser.
#[test]
fn a_pushed_request_comes_back_as_it_was_pushed_whatever_stands_beside_it() {
    let world = World::new();
    let uri = pushed(&world);
    let beside =
        [("client_id", "portal"), ("request_uri", &uri), ("scope", "openid orders:write"), ("redirect_uri", "https://evil.example/")];
    let request = open(&world, &beside, NOW).unwrap();
    assert_eq!(request, push(&world, &[]).unwrap());
    assert_eq!((request.redirect_uri.as_str(), request.pushed_as), ("https://portal.example/callback", Some([7; 16])));
    assert!(par::spend(&request, "main", NOW).is_some());
}

/// PAR-001
#[test]
fn a_request_uri_is_of_one_client_for_a_minute() {
    let mut world = World::new();
    let uri = pushed(&world);
    let good = [("client_id", "portal"), ("request_uri", uri.as_str())];
    let altered = uri.replace("request_uri:A", "request_uri:B");
    for (attack, query, now) in [
        ("another client", vec![("client_id", "web"), good[1]], NOW),
        ("no client", vec![good[1]], NOW),
        ("too late", good.to_vec(), NOW + par::LIFETIME),
        ("made up", vec![good[0], ("request_uri", "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c")], NOW),
        ("altered", vec![good[0], ("request_uri", &altered)], NOW),
    ] {
        if attack == "altered" && altered == uri {
            continue;
        }
        assert_eq!(open(&world, &query, now).expect_err(attack).code, ErrorCode::InvalidRequestUri, "{attack}");
    }
    assert!(open(&world, &good, NOW + par::LIFETIME - Duration::from_millis(1)).is_ok());
    world.change_client("portal", |client| client.redirect_uris = vec!["https://portal.example/moved".into()]);
    assert_eq!(open(&world, &good, NOW).unwrap_err().reason, "redirect_uri.unregistered", "what has changed since counts");
    world.change_client("portal", |client| client.disabled = true);
    assert_eq!(open(&world, &good, NOW).unwrap_err().reason, "client.unknown");
}

/// PAR-002, PAR-003, PAR-004
#[test]
fn what_is_wrong_with_a_pushed_request_is_told_at_once() {
    let world = World::new();
    let long = "x".repeat(513);
    for (attack, changes, code) in [
        ("PAR-003 nested", vec![("request_uri", "urn:ietf:params:oauth:request_uri:x")], "invalid_request"),
        ("PAR-002 elsewhere", vec![("request_uri", "https://evil.example/")], "invalid_request"),
        ("another's address", vec![("redirect_uri", "https://shop.example/callback")], "invalid_request"),
        ("no challenge", vec![("code_challenge", "")], "invalid_request"),
        ("scope", vec![("scope", "stock:write")], "invalid_scope"),
        ("state", vec![("state", &long)], "invalid_request"),
        ("request object of nobody", vec![("request", "a.b.c")], "invalid_request_object"),
    ] {
        assert_eq!(push(&world, &changes).expect_err(attack).code.name(), code, "{attack}");
    }
    // Whoever authenticated asks, whatever the body names: another name beside a credential never comes this far.
    assert_eq!(push(&world, &[("client_id", "web")]).unwrap().client_id, "portal");
}

/// PAR-003
#[test]
fn who_must_push_is_not_served_otherwise() {
    let read = |world: &World| AuthorizationRequest::read(&form(&with(&GOOD, &[("client_id", "portal")])), world, NOW);
    let mut world = World::new();
    assert!(read(&world).is_ok());
    world.realm.require_pushed_authorization_requests = true;
    assert_eq!(read(&world).unwrap_err().error().reason, "request.not_pushed");
    assert!(push(&world, &[]).is_ok());
    world.realm.require_pushed_authorization_requests = false;
    world.change_client("portal", |client| client.require_pushed_authorization_requests = true);
    assert_eq!(read(&world).unwrap_err().error().reason, "request.not_pushed");
    assert!(push(&world, &[]).is_ok());
}

pub fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

/// A world in which `portal` has a key.
pub fn signing(key: &SigningKey) -> World {
    let mut world = World::new();
    world.change_client("portal", |client| {
        client.jwks = Some(json!({ "keys": [key.jwk()] }));
        client.request_object_signing_alg = Some("ES256".into());
    });
    world
}

pub fn object(changes: &[(&str, Value)]) -> Value {
    let mut claims =
        json!({ "iss": "portal", "aud": ISSUER, "client_id": "portal", "exp": NOW.seconds() + 60, "nbf": NOW.seconds(), "max_age": 60 });
    for (name, value) in GOOD {
        claims[name] = value.into();
    }
    for (name, value) in changes {
        claims[*name] = value.clone();
    }
    claims
}

pub fn bring(world: &World, object: &str, beside: &[(&str, &str)]) -> Result<AuthorizationRequest, Refusal> {
    let query = [&[("client_id", "portal"), ("request", object)], beside].concat();
    AuthorizationRequest::read(&form(&query), world, NOW)
}

#[test]
fn a_signed_request_is_all_that_is_read() {
    let key = key();
    let world = signing(&key);
    let claims = json!({ "id_token": { "acr": { "value": "pwd" } } });
    let signed = key.sign("oauth-authz-req+jwt", &object(&[("claims", claims)])).unwrap();
    let request = bring(&world, &signed, &[("scope", "openid orders:write"), ("state", "other"), ("prompt", "none")]).unwrap();
    assert_eq!(
        (request.scopes.as_slice(), request.state.as_deref()),
        (&["openid".to_owned(), "orders:read".to_owned()][..], Some("af0ifjsldkj"))
    );
    assert_eq!((request.prompt.none, request.max_age()), (false, Some(Duration::from_secs(60))));
    assert!(request.acr.is_some(), "members with members are read as JSON");
    let pushed = par::push(form(&[("request", &signed)]), &world, (&world.authenticated("portal"), None), [1; 16], NOW).unwrap();
    assert_eq!(pushed.redirect_uri, request.redirect_uri);
}

#[test]
fn a_request_object_is_the_clients_own_for_this_issuer_and_now() {
    let (key, other) = (key(), key());
    let mut world = signing(&key);
    let unsigned = "eyJhbGciOiJub25lIn0.e30.";
    let past = NOW.seconds() - 3700;
    for (attack, signed) in [
        ("unsigned", unsigned.to_owned()),
        ("another's key", other.sign("JWT", &object(&[])).unwrap()),
        ("another kind", key.sign("at+jwt", &object(&[])).unwrap()),
        ("another issuer", key.sign("JWT", &object(&[("iss", "web".into())])).unwrap()),
        ("no issuer", key.sign("JWT", &object(&[("iss", Value::Null)])).unwrap()),
        ("another audience", key.sign("JWT", &object(&[("aud", "https://other.example".into())])).unwrap()),
        ("an assertion", key.sign("JWT", &object(&[("sub", "portal".into())])).unwrap()),
        ("expired", key.sign("JWT", &object(&[("exp", past.into())])).unwrap()),
        ("of the future", key.sign("JWT", &object(&[("nbf", (NOW.seconds() + 60).into())])).unwrap()),
        ("nested", key.sign("JWT", &object(&[("request", "x".into())])).unwrap()),
        ("nested", key.sign("JWT", &object(&[("request_uri", "https://evil.example".into())])).unwrap()),
        ("another client", key.sign("JWT", &object(&[("client_id", "web".into())])).unwrap()),
        ("control characters", key.sign("JWT", &object(&[("state", "a\nb".into())])).unwrap()),
    ] {
        let refusal = bring(&world, &signed, &[]).expect_err(attack);
        assert_eq!(refusal.error().code.name(), "invalid_request_object", "{attack}");
    }
    for (uri, is_sent) in [("https://portal.example/callback", true), ("https://evil.example/", false)] {
        let refusal = bring(&world, unsigned, &[("redirect_uri", uri)]).unwrap_err();
        assert_eq!(matches!(refusal, Refusal::Redirect(_)), is_sent, "nobody is sent to an address that is not the client's: {uri}");
    }

    world.change_client("portal", |client| client.require_signed_request_object = true);
    assert_eq!(push(&world, &[]).unwrap_err().reason, "request.not_signed");
    world.change_client("portal", |client| client.request_object_signing_alg = Some("PS256".into()));
    assert_eq!(bring(&world, &key.sign("JWT", &object(&[])).unwrap(), &[]).unwrap_err().error().reason, "request.algorithm");
}

#[test]
fn message_signing_wants_everything_pushed_signed_and_fresh() {
    let key = key();
    let mut world = signing(&key);
    world.change_client("portal", |client| client.profile = Some(Profile::Fapi2MessageSigning));
    let take = |changes: &[(&str, Value)]| {
        let signed = key.sign("oauth-authz-req+jwt", &object(changes)).unwrap();
        par::push(form(&[("request", &signed)]), &world, (&world.authenticated("portal"), None), [1; 16], NOW).map_err(|error| error.reason)
    };
    let mode = ("response_mode", json!("jwt"));
    let hour_ago = json!(NOW.seconds() - 3601);
    assert!(take(std::slice::from_ref(&mode)).is_ok());
    assert_eq!(take(&[]).unwrap_err(), "response_mode.not_signed");
    assert_eq!(take(&[mode.clone(), ("nbf", Value::Null)]).unwrap_err(), "request.malformed");
    assert_eq!(take(&[mode.clone(), ("nbf", hour_ago)]).unwrap_err(), "request.lives_too_long");
    assert_eq!(take(&[mode.clone(), ("exp", json!(NOW.seconds() + 3601))]).unwrap_err(), "request.lives_too_long");
    assert_eq!(take(&[mode, ("redirect_uri", Value::Null)]).unwrap_err(), "redirect_uri.missing");
    assert_eq!(push(&world, &[("response_mode", "jwt")]).unwrap_err().reason, "request.not_signed");
}

pub struct Everything;

impl client_metadata::Names for Everything {
    fn exists(&self, kind: durward_model::ResourceKind, _: &str) -> bool {
        kind != durward_model::ResourceKind::Service
    }
    fn service(&self, _: &str) -> Option<&durward_model::resource::Service> {
        None
    }
}

#[test]
fn a_registration_must_keep_what_its_profile_promises() {
    let fine = Client {
        name: "bank".into(),
        profile: Some(Profile::Fapi2MessageSigning),
        authentication: ClientAuthentication::PrivateKeyJwt,
        jwks: Some(json!({ "keys": [key().jwk()] })),
        dpop_bound_access_tokens: true,
        redirect_uris: vec!["https://bank.example/cb".into()],
        grants: vec![durward_model::GrantType::AuthorizationCode],
        ..Client::default()
    };
    let fields = |client: &Client| -> Vec<String> {
        client_metadata::client(client, &Everything).into_iter().map(|problem| problem.field).collect()
    };
    assert_eq!(fields(&fine), Vec::<String>::new());
    let change = |change: fn(&mut Client)| {
        let mut client = fine.clone();
        change(&mut client);
        fields(&client)
    };
    for (field, changed) in [
        ("authentication", change(|client| client.authentication = ClientAuthentication::ClientSecretBasic)),
        ("dpop_bound_access_tokens", change(|client| client.dpop_bound_access_tokens = false)),
        ("legacy_grants", change(|client| client.legacy_grants = vec![durward_model::LegacyGrant::Password])),
        ("redirect_uris[0]", change(|client| client.redirect_uris = vec!["http://127.0.0.1/cb".into()])),
        ("id_token_signed_response_alg", change(|client| client.id_token_signed_response_alg = Some("RS256".into()))),
        ("request_object_signing_alg", change(|client| client.request_object_signing_alg = Some("ES384".into()))),
        ("authorization_signed_response_alg", change(|client| client.authorization_signed_response_alg = Some("RS256".into()))),
    ] {
        assert!(changed.iter().any(|found| found == field), "{field}: {changed:?}");
    }
}

#[test]
fn parameters_of_an_object_are_bounded() {
    let key = key();
    let world = signing(&key);
    let mut many = object(&[]);
    for n in 0..80 {
        many[format!("p{n}")] = n.into();
    }
    let refusal = bring(&world, &key.sign("JWT", &many).unwrap(), &[]).unwrap_err();
    assert_eq!(refusal.error().reason, "parameters.too_many");
}
