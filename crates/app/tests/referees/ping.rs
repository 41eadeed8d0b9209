//! OpenID Connect CIBA in ping mode: a client is called over TLS when the person has answered, and asks then.

use std::fs;

use durward_testsite::Site;
use http::Response;
use serde_json::{Value, json};

use super::{CIBA, World, documents};
use crate::fixture::{ALICE, PROGRAM_SECRET};

const TOKEN: &str = "8d67dc78-7faa-4d41-aabd-67707b374255";

#[tokio::test]
async fn a_client_is_called_when_the_person_has_answered_and_gets_its_tokens_then() {
    let (site, roots) = (Site::open().await, tempfile::NamedTempFile::new().unwrap());
    site.answers("/answered", Response::builder().status(204).body("").unwrap());
    fs::write(roots.path(), site.roots()).unwrap();
    let world = World::set_up(&format!("outbound:\n  allow_loopback: true\n  trusted_roots: {}\n", roots.path().display())).await;
    let counter = json!({
        "kind": "client", "name": "counter", "trust": "first-party", "authentication": "client_secret_basic",
        "secrets": ["${PROGRAM_SECRET}"], "services": ["orders"], "scopes": ["openid", "orders:read"], "grants": [CIBA],
        "backchannel_token_delivery_mode": "ping", "backchannel_client_notification_endpoint": site.url("/answered"),
    });
    world.durward.apply(&documents(&[counter]));
    let call = async |path: &str, form: &[(&str, &str)]| -> Value {
        let asked = world.browser.post(world.durward.at(&format!("/realms/main/oauth2/{path}")));
        asked.basic_auth("counter", Some(PROGRAM_SECRET)).form(form).send().await.unwrap().json().await.unwrap()
    };
    let asked = [("scope", "openid orders:read"), ("login_hint", ALICE), ("client_notification_token", TOKEN)];
    let acknowledged = call("bc-authorize", &asked).await;
    let id = acknowledged["auth_req_id"].as_str().unwrap_or_else(|| panic!("{acknowledged}"));
    let poll = [("grant_type", CIBA), ("auth_req_id", id)];
    assert_eq!(call("token", &poll).await["error"], "authorization_pending");

    world.visit(&world.durward.at("/realms/main/account/requests")).await;
    let called = site.asked(1).await.remove(0);
    assert_eq!(called.headers()["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(serde_json::from_slice::<Value>(called.body()).unwrap(), json!({ "auth_req_id": id }));
    let tokens = call("token", &poll).await;
    assert!(tokens["id_token"].is_string() && tokens["access_token"].is_string(), "{tokens}");
}
