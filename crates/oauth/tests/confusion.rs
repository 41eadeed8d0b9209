//! JOSE-031, JOSE-032: every kind of token made here, at every consumer made here.

use durward_jose::{Algorithm, SigningKey};
use durward_model::resource::{ClientAuthentication, TokenType};
use durward_oauth::access_token::AccessToken;
use durward_oauth::authorize::AuthorizationRequest;
use durward_oauth::client_authentication::PresentedClient;
use durward_oauth::code::Code;
use durward_oauth::grant::client_credentials;
use durward_oauth::grant::refresh_token::RefreshToken;
use durward_oauth::id_token::IdTokenHint;
use durward_oauth::{ErrorCode, Registry, userinfo};
use serde_json::json;

use crate::fixture::{ISSUER, NOW, World, claims, form, granted, jti, keys};

const KINDS: [&str; 13] = [
    "access token",
    "plain access token",
    "client's access token",
    "ID token RS256",
    "ID token ES256",
    "refresh token",
    "client assertion",
    "identity token",
    "authorization response",
    "introspection answer",
    "logout token",
    "DPoP proof",
    "request object",
];

pub struct Minted {
    pub world: World,
    pub tokens: Vec<(&'static str, String)>,
}

pub fn minted() -> Minted {
    let mut world = World::new();
    let mut tokens = Vec::new();
    let rows = world.rows("web");
    let ours = world.minted("web", &rows);
    tokens.push(("access token", ours.access_token.expose().to_owned()));
    tokens.push(("ID token RS256", ours.id_token.unwrap().expose().to_owned()));
    tokens.push(("refresh token", ours.refresh_token.unwrap().expose().to_owned()));
    let grant = granted(client_credentials::decide(&world, &form(&[]), &world.authenticated("payments-program"), jti(NOW), NOW));
    tokens.push(("client's access token", world.mint(&grant).access_token.expose().to_owned()));
    world.change_service("payments", |service| service.token_type = TokenType::PlainJwt);
    world.change_client("web", |client| client.id_token_signed_response_alg = Some("ES256".into()));
    let plain = world.minted("web", &rows);
    tokens.push(("plain access token", plain.access_token.expose().to_owned()));
    tokens.push(("ID token ES256", plain.id_token.unwrap().expose().to_owned()));
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    world.change_client("payments-program", |client| {
        client.authentication = ClientAuthentication::PrivateKeyJwt;
        client.jwks = Some(json!({ "keys": [key.jwk(), keys().es256.jwk(), keys().rs256.jwk()] }));
    });
    let (iat, exp) = (NOW.seconds(), NOW.seconds() + 60);
    let name = "payments-program";
    let assertion = json!({ "iss": name, "sub": name, "aud": ISSUER, "exp": exp, "iat": iat, "jti": "1" });
    tokens.push(("client assertion", key.sign("JWT", &assertion).unwrap()));
    // A gateway's, had its key by mistake become one of the realm's.
    let identity = json!({ "iss": ISSUER, "sub": "s", "aud": "payments", "exp": exp, "iat": iat, "jti": jti(NOW), "client_id": "web", "scope": "openid" });
    tokens.push(("identity token", keys().es256.sign("dw-id+jwt", &identity).unwrap()));
    tokens.extend(others(&key, name));
    assert!(KINDS.iter().all(|kind| tokens.iter().any(|(name, _)| name == kind)));
    Minted { world, tokens }
}

/// What is signed for other ends, by us or by a client.
fn others(key: &SigningKey, name: &str) -> [(&'static str, String); 5] {
    let (iat, exp) = (NOW.seconds(), NOW.seconds() + 60);
    let ours = |typ: &str, claims: serde_json::Value| keys().es256.sign(typ, &claims).unwrap();
    let response = json!({ "iss": ISSUER, "aud": name, "exp": exp, "code": "c", "state": "s" });
    let answer =
        json!({ "iss": ISSUER, "aud": name, "iat": iat, "token_introspection": { "active": true, "sub": "s", "scope": "openid" } });
    let events = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let logout = json!({ "iss": ISSUER, "aud": name, "iat": iat, "exp": exp, "jti": "1", "sub": "s", "sid": "f", "events": events });
    let proof = json!({ "htm": "POST", "htu": format!("{ISSUER}/oauth2/token"), "iat": iat, "jti": "1" });
    let request = json!({ "iss": name, "aud": ISSUER, "client_id": name, "exp": exp, "nbf": iat, "response_type": "code" });
    [
        ("authorization response", ours("JWT", response)),
        ("introspection answer", ours("token-introspection+jwt", answer)),
        ("logout token", ours("logout+jwt", logout)),
        ("DPoP proof", key.sign("dpop+jwt", &proof).unwrap()),
        ("request object", key.sign("oauth-authz-req+jwt", &request).unwrap()),
    ]
}

#[test]
fn every_consumer_takes_its_own_kind_of_token_and_no_other() {
    let Minted { world, tokens } = minted();
    type Consumer = fn(&World, &str) -> bool;
    let consumers: [(&str, Consumer, &[&str]); 7] = [
        (
            "introspection and revocation",
            |world, token| AccessToken::verify(token, world, NOW).is_ok(),
            &["access token", "plain access token", "client's access token"],
        ),
        ("userinfo", |world, token| userinfo::authorize(token, world, NOW).is_ok(), &["access token", "plain access token"]),
        ("id_token_hint", |world, token| IdTokenHint::verify(token, world, NOW).is_ok(), &["ID token RS256", "ID token ES256"]),
        (
            "refresh grant",
            |world, token| RefreshToken::read(&form(&[("refresh_token", token)]), &world.handles, world.id()).is_ok(),
            &["refresh token"],
        ),
        ("code grant", |world, token| Code::read(&form(&[("code", token)]), &world.states, world.id(), NOW).is_ok(), &[]),
        ("client authentication", authenticates, &["client assertion"]),
        ("authorization endpoint", asks, &["request object"]),
    ];
    for (consumer, accepts, own) in consumers {
        for (kind, token) in &tokens {
            assert_eq!(accepts(&world, token), own.contains(kind), "{kind} at {consumer}");
        }
    }
}

/// Whether it is taken for a request of the client; what it asks for is another matter.
fn asks(world: &World, token: &str) -> bool {
    let read = AuthorizationRequest::read(&form(&[("client_id", "payments-program"), ("request", token)]), world, NOW);
    read.map_or_else(|refusal| refusal.error().code != ErrorCode::InvalidRequestObject, |_| true)
}

pub fn authenticates(world: &World, token: &str) -> bool {
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let parameters = form(&[("client_assertion", token), ("client_assertion_type", kind)]);
    PresentedClient::read(&[], &parameters).and_then(|presented| presented.authenticate(world, &world.hasher, NOW).map(|_| ())).is_ok()
}

/// JOSE-031: also where both kinds have the same `typ`, the same key and a client that took a service's name.
#[test]
fn an_id_token_lacks_what_every_access_token_has() {
    let Minted { tokens, .. } = minted();
    for (kind, token) in tokens {
        let is_access_token = kind.contains("access token");
        if !["refresh token", "identity token", "request object"].contains(&kind) {
            let claims = claims(&durward_base::Secret::new(token));
            assert_eq!(claims.get("client_id").is_some() && claims.get("scope").is_some(), is_access_token, "{kind}");
        }
    }
}

/// JOSE-047: a key that does not verify is one the registry does not give.
#[test]
fn a_token_under_a_key_that_is_not_in_use_is_refused() {
    let Minted { mut world, tokens } = minted();
    let (_, token) = &tokens[0];
    assert!(AccessToken::verify(token, &world, NOW).is_ok());
    world.keys.retain(|key| key.kid() != keys().es256.kid());
    assert_eq!(AccessToken::verify(token, &world, NOW).unwrap_err().reason, "kid_unknown");
}
