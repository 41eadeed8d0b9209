//! Keys rotate under load without one failed request; a compromised key is dead at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use reqwest::StatusCode;

use crate::fixture::{ALICE, Durward, PASSWORD, PROMPT, SOON, granted, within};

#[tokio::test]
async fn keys_rotate_under_load_without_one_failed_request() {
    let durward = Durward::start().await;
    let (over, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let old = durward.application().log_in(ALICE, PASSWORD).await.access_token;
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (application, old, over, served) = (durward.application(), old.clone(), Arc::clone(&over), Arc::clone(&served));
            let mut refresh_token: Option<String> = None;
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let tokens = match refresh_token.take() {
                        None => application.log_in(ALICE, PASSWORD).await,
                        Some(token) => granted(application.refresh(&token).await.unwrap()).await,
                    };
                    assert_eq!(application.userinfo(&tokens.access_token).await, StatusCode::OK, "a token of now");
                    assert_eq!(application.userinfo(&old).await, StatusCode::OK, "a token of before");
                    refresh_token = Some(tokens.refresh_token);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..3 {
        durward.command(&["keys", "rotate"]);
        let before = served.load(Ordering::Relaxed);
        // Past the moment at which the new key signs, which the rotation announces a second ahead.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        within(SOON, "requests go on", async || served.load(Ordering::Relaxed) > before + 8).await;
    }
    over.store(true, Ordering::Relaxed);
    for worker in load {
        worker.await.unwrap();
    }
}

#[tokio::test]
async fn what_a_compromised_key_signed_is_refused_within_a_second() {
    let durward = Durward::start_alone().await;
    let application = durward.application();
    let token = application.log_in(ALICE, PASSWORD).await.access_token;
    let keys = durward.command(&["keys", "list"]);
    let kid = |key: &serde_json::Value| key["kid"].as_str().unwrap().to_owned();
    let signing = |key: &&serde_json::Value| key["state"] == "active" && key["issuer"].as_str().unwrap().contains("/realms/");
    for key in keys.as_array().unwrap().iter().filter(signing).map(kid) {
        durward.command(&["keys", "revoke", &key]);
    }
    within(PROMPT, "its tokens are refused", async || application.userinfo(&token).await == StatusCode::UNAUTHORIZED).await;
    let signs_again = async || application.program_token().await.unwrap().status() == StatusCode::OK;
    within(SOON, "the next key signs", signs_again).await;
}

#[tokio::test]
async fn a_realm_makes_keys_of_an_algorithm_when_a_client_first_asks_for_it() {
    let durward = Durward::start_alone().await;
    let active = |algorithm: &str| {
        let keys = durward.command(&["keys", "list"]);
        let counts = |key: &&serde_json::Value| key["state"] == "active" && key["algorithm"] == algorithm;
        keys.as_array().unwrap().iter().filter(counts).count()
    };
    assert_eq!((active("RS256"), active("ES384"), active("EdDSA")), (1, 0, 0), "nothing is made that nobody asks for");
    durward.apply(
        "kind: client\nname: web\ntrust: first-party\nredirect_uris: [\"http://127.0.0.1/callback\"]\n\
         grants: [authorization_code, refresh_token]\nscopes: [openid, profile, offline_access, \"orders:read\"]\nservices: [orders]\n\
         id_token_signed_response_alg: ES384\n",
    );
    within(SOON, "the key is there", async || active("ES384") == 1).await;
    let signs = async || {
        let application = durward.application();
        application.exchange(&application.code(ALICE, PASSWORD).await).await.unwrap().status() == StatusCode::OK
    };
    within(SOON, "it signs", signs).await;
    assert_eq!((active("ES384"), active("EdDSA")), (1, 0));
}
