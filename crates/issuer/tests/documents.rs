//! Public documents: discovery and keys.

use serde_json::Value;

use crate::fixture::{ISSUER, World};

#[tokio::test]
async fn discovery_is_the_same_at_both_places_and_every_address_in_it_is_there() {
    let world = World::new().await;
    let mut browser = world.browser();
    let openid = browser.get("/realms/main/.well-known/openid-configuration").await;
    let oauth = browser.get("/.well-known/oauth-authorization-server/realms/main").await;
    assert_eq!(openid.json(), oauth.json());
    assert_eq!(openid.text("issuer"), ISSUER);
    for (name, address) in openid.json().as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri")
    {
        let answer = browser.get(address.as_str().unwrap()).await;
        assert_ne!(answer.status.as_u16(), 404, "{name}");
    }
}

#[tokio::test]
async fn the_keys_verify_what_is_signed_and_hold_no_private_member() {
    let world = World::new().await;
    let mut browser = world.browser();
    let keys = browser.get("/realms/main/oauth2/jwks").await;
    assert_eq!(keys.header("cache-control"), "public, max-age=900, stale-if-error=86400");
    let keys = keys.json();
    let keys = keys["keys"].as_array().unwrap();
    assert_eq!(keys.iter().map(|key| key["use"].as_str().unwrap()).collect::<Vec<_>>(), ["sig", "sig", "enc"]);
    for key in keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(key[private], Value::Null);
        }
    }
    assert_eq!(browser.get("/gateways/main/jwks").await.status.as_u16(), 404);
}
