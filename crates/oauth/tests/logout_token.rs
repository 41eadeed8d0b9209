use durward_base::{FamilyId, Secret};
use durward_model::EgressUrl;
use durward_model::resource::{Client, ClientAuthentication};
use durward_oauth::access_token::AccessToken;
use durward_oauth::id_token::IdTokenHint;
use durward_oauth::logout_token::{self, Ended};
use durward_oauth::{Registry, client_metadata};
use serde_json::json;

use crate::confusion::authenticates;
use crate::fixture::{ISSUER, NOW, World, claims, header, jti, keys, portal, web};

fn token(world: &World) -> String {
    let ended = Ended { subject: "alice", family: FamilyId::from_bytes([5; 16]) };
    logout_token::sign(world, world.client("web").unwrap().metadata, ended, &keys().ring, (NOW, jti(NOW))).unwrap()
}

#[test]
fn a_logout_token_says_whose_login_and_which_is_over_and_never_has_a_nonce() {
    let mut world = World::new();
    for algorithm in ["RS256", "ES256"] {
        world.change_client("web", |client| client.id_token_signed_response_alg = Some(algorithm.to_owned()));
        let token = Secret::new(token(&world));
        assert_eq!((&header(&token)["typ"], &header(&token)["alg"]), (&json!("logout+jwt"), &json!(algorithm)), "as its ID tokens");
        let now = NOW.seconds();
        let expected = json!({
            "iss": ISSUER, "sub": "alice", "aud": "web", "iat": now, "exp": now + 120, "jti": jti(NOW), "sid": FamilyId::from_bytes([5; 16]),
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        assert_eq!(claims(&token), expected);
    }
}

/// JOSE-032
#[test]
fn a_logout_token_is_good_for_nothing_else() {
    let world = World::new();
    let token = token(&world);
    assert!(AccessToken::verify(&token, &world, NOW).is_err());
    assert!(IdTokenHint::verify(&token, &world, NOW).is_err());
    assert!(!authenticates(&world, &token));
}

#[test]
fn a_client_is_told_at_an_address_of_its_own_and_under_a_key_that_is_published() {
    let world = World::new();
    let url = |text: &str| Some(EgressUrl::parse(text).unwrap());
    let good = Client {
        backchannel_logout_uri: url("https://elsewhere.example/logout"),
        frontchannel_logout_uri: url("https://shop.example/logout?from=auth"),
        ..web()
    };
    assert_eq!(client_metadata::client(&good, &world), []);
    let secret = Client {
        authentication: ClientAuthentication::ClientSecretBasic,
        id_token_signed_response_alg: Some("HS256".to_owned()),
        backchannel_logout_uri: url("https://portal.example/logout"),
        ..portal()
    };
    let elsewhere = Client { frontchannel_logout_uri: url("https://shop.example:8443/logout"), ..web() };
    for (client, field) in [(secret, "backchannel_logout_uri"), (elsewhere, "frontchannel_logout_uri")] {
        let problems = client_metadata::client(&client, &world);
        assert_eq!(problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(), [field]);
    }
}
