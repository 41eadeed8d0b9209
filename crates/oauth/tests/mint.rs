use durward_base::base64url;
use durward_jose::{Algorithm, SigningKey};
use durward_model::resource::TokenType;
use durward_oauth::KeyRing;

use crate::fixture::{ISSUER, NOW, World, claims, header, keys};

/// With five roles and an issuer as people have them: every request carries it.
#[test]
fn an_access_token_with_five_roles_is_at_most_700_bytes() {
    let world = World::new();
    let mut rows = world.rows("web");
    rows.person.groups.clear();
    rows.person.roles = ["customer", "clerk", "accountant", "warehouse-manager", "auditor"].map(str::to_owned).to_vec();
    rows.family.scopes = ["openid", "profile", "orders:read", "orders:write"].map(str::to_owned).to_vec();
    let token = world.minted("web", &rows).access_token;
    assert!(token.expose().len() <= 700, "{} bytes: {}", token.expose().len(), claims(&token));
}

#[test]
fn an_access_token_says_what_rfc_9068_asks_for() {
    let world = World::new();
    let rows = world.rows("web");
    let minted = world.minted("web", &rows);
    let (header, claims) = (header(&minted.access_token), claims(&minted.access_token));
    assert_eq!(header, serde_json::json!({ "alg": "ES256", "typ": "at+jwt", "kid": keys().es256.kid() }));
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["sub"], rows.person.sub);
    assert_eq!(claims["aud"], "payments");
    assert_eq!(claims["client_id"], "web");
    assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(NOW.seconds()), Some(NOW.seconds() + 300)));
    assert_eq!(claims["jti"], minted.jti.to_string());
    assert_eq!(claims["sid"], rows.family.id.to_string());
    assert_eq!(claims["ses"], rows.session.id.to_string());
    assert_eq!((claims["acr"].as_str(), claims["auth_time"].as_i64()), (Some("pwd"), Some(NOW.seconds())));
    assert!(claims.get("email").is_none(), "no personal data");
}

#[test]
fn a_service_that_knows_no_at_jwt_gets_plain_jwt() {
    let mut world = World::new();
    world.change_service("payments", |service| service.token_type = TokenType::PlainJwt);
    let token = world.minted("web", &world.rows("web")).access_token;
    assert_eq!(header(&token)["typ"], "JWT");
    assert_eq!(claims(&token)["client_id"], "web", "what tells it from an ID token");
}

#[test]
fn an_id_token_is_signed_as_the_client_registered() {
    for (registered, algorithm, kid) in
        [(None, "RS256", keys().rs256.kid()), (Some("RS256"), "RS256", keys().rs256.kid()), (Some("ES256"), "ES256", keys().es256.kid())]
    {
        let mut world = World::new();
        world.change_client("web", |client| client.id_token_signed_response_alg = registered.map(str::to_owned));
        let rows = world.rows("web");
        let minted = world.minted("web", &rows);
        let token = minted.id_token.unwrap();
        assert_eq!(header(&token), serde_json::json!({ "alg": algorithm, "typ": "JWT", "kid": kid }));
        let claims = claims(&token);
        assert_eq!((claims["aud"].as_str(), claims["sub"].as_str()), (Some("web"), Some(rows.person.sub.as_str())));
        assert_eq!(claims["sid"], rows.family.id.to_string());
        assert_eq!(claims["amr"], serde_json::json!(["pwd"]));
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, minted.access_token.expose().as_bytes());
        assert_eq!(claims["at_hash"], base64url::encode(&hash.as_ref()[..16]));
    }
}

#[test]
fn the_response_is_as_rfc_6749_says_and_nothing_of_it_is_printed() {
    let world = World::new();
    let minted = world.minted("web", &world.rows("web"));
    let body: serde_json::Value = serde_json::from_slice(&minted.body().unwrap()).unwrap();
    assert_eq!((body["token_type"].as_str(), body["expires_in"].as_u64()), (Some("Bearer"), Some(300)));
    assert_eq!(body["scope"], "openid profile orders:read");
    let shown = format!("{minted:?}");
    for field in ["access_token", "refresh_token", "id_token"] {
        assert!(!shown.contains(body[field].as_str().unwrap()), "{field}");
    }
}

#[test]
fn a_client_that_may_not_refresh_gets_no_refresh_token() {
    let mut world = World::new();
    let rows = world.rows("web");
    let grant = crate::fixture::granted(world.refresh("web", &rows, 0, &[], NOW));
    assert!(world.mint(&grant).refresh_token.is_some());
    world.change_client("web", |client| client.grants = vec![durward_model::GrantType::AuthorizationCode]);
    assert!(matches!(world.refresh("web", &rows, 0, &[], NOW), durward_oauth::Decision::Deny { .. }));
}

#[test]
fn a_ring_has_one_key_of_each_algorithm() {
    let key = |algorithm| SigningKey::generate(algorithm).unwrap();
    let error = KeyRing::new(vec![key(Algorithm::ES256)]).unwrap_err();
    assert_eq!((error.algorithm, error.found), (Algorithm::RS256, 0));
    let error = KeyRing::new(vec![key(Algorithm::ES256), key(Algorithm::ES256)]).unwrap_err();
    assert_eq!((error.algorithm, error.found), (Algorithm::ES256, 2));
}
