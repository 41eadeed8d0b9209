//! `kill -9` at moments of chance: what was acknowledged stands, what can be spent once is spent once.

use std::fs;
use std::time::Duration;

use aws_lc_rs::rand;
use durward_jose::{Algorithm, SigningKey};
use durward_node::machine;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::fixture::{ALICE, Durward, PASSWORD, SOON, Turn, configure, free_port, granted, spawn, within};

/// How often each is killed.
fn kills() -> u32 {
    std::env::var("DURWARD_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(5)
}

/// Waits for a time of chance below `most`.
async fn a_moment(most: Duration) {
    let mut chance = [0; 4];
    rand::fill(&mut chance).unwrap();
    tokio::time::sleep(most.mul_f64(f64::from(u32::from_ne_bytes(chance)) / f64::from(u32::MAX))).await;
}

#[tokio::test]
async fn a_code_is_spent_once_whenever_the_authority_dies() {
    let mut durward = Durward::start().await;
    for round in 0..kills() {
        let application = durward.application();
        let code = application.code(ALICE, PASSWORD).await;
        let (first, ()) = tokio::join!(application.exchange(&code), async {
            a_moment(Duration::from_millis(12)).await;
            durward.kill();
        });
        durward.restart();
        let application = durward.application();
        if let Ok(answer) = first
            && answer.status() == StatusCode::OK
            && let Ok(tokens) = answer.json::<Value>().await
        {
            let refresh_token = tokens["refresh_token"].as_str().unwrap();
            let refreshed = application.refresh(refresh_token).await.unwrap();
            assert_eq!(refreshed.status(), StatusCode::OK, "round {round}: what was granted is lost");
        } else {
            let again = application.exchange(&code).await.unwrap().status();
            assert!(matches!(again, StatusCode::OK | StatusCode::BAD_REQUEST), "round {round}: {again}");
        }
        let replayed = application.exchange(&code).await.unwrap().status();
        assert_eq!(replayed, StatusCode::BAD_REQUEST, "round {round}: the code was spent twice");
    }
}

#[tokio::test]
async fn a_rotation_that_was_acknowledged_stands_and_a_lost_answer_can_be_asked_for_again() {
    let mut durward = Durward::start().await;
    let mut current = durward.application().log_in(ALICE, PASSWORD).await.refresh_token;
    for round in 0..kills() {
        let application = durward.application();
        let (answer, ()) = tokio::join!(application.refresh(&current), async {
            a_moment(Duration::from_millis(12)).await;
            durward.kill();
        });
        let acknowledged = match answer {
            Ok(answer) if answer.status() == StatusCode::OK => answer.json::<Value>().await.ok(),
            _ => None,
        };
        if let Some(tokens) = acknowledged {
            tokens["refresh_token"].as_str().unwrap().clone_into(&mut current);
        }
        durward.restart();
        // A rotation whose answer was lost is within its grace: the same token brings the same successor.
        let refreshed = durward.application().refresh(&current).await.unwrap();
        assert_eq!(refreshed.status(), StatusCode::OK, "round {round}: {}", refreshed.text().await.unwrap());
        current = granted(refreshed).await.refresh_token;
    }
    let before = current.clone();
    let application = durward.application();
    let twice = [application.refresh(&before).await.unwrap(), application.refresh(&before).await.unwrap()];
    let [first, second] = twice.map(granted);
    assert_eq!(first.await.refresh_token, second.await.refresh_token, "one token has one successor");
}

/// RT-003: what was succeeded twice is long succeeded, whichever process saw it.
#[tokio::test]
async fn a_refresh_token_of_before_is_known_after_the_authority_died() {
    let mut durward = Durward::start().await;
    let application = durward.application();
    let first = application.log_in(ALICE, PASSWORD).await.refresh_token;
    let second = granted(application.refresh(&first).await.unwrap()).await.refresh_token;
    let third = granted(application.refresh(&second).await.unwrap()).await;
    durward.kill();
    durward.restart();
    let application = durward.application();
    assert_eq!(application.refresh(&first).await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(application.refresh(&third.refresh_token).await.unwrap().status(), StatusCode::BAD_REQUEST, "the family is ended");
    let is_dead = async || application.userinfo(&third.access_token).await == StatusCode::UNAUTHORIZED;
    within(SOON, "its access token is dead", is_dead).await;
}

/// CLI-005: a client assertion that bought something is spent, whichever process and endpoint it comes to next.
#[tokio::test]
async fn an_assertion_is_known_after_the_authority_died() {
    let mut durward = Durward::start().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let client = json!({
        "kind": "client", "name": "signer", "authentication": "private_key_jwt", "jwks": { "keys": [key.jwk()] },
        "grants": ["client_credentials"], "services": ["orders"],
    });
    durward.apply(&client.as_object().unwrap().iter().map(|(name, value)| format!("{name}: {value}\n")).collect::<String>());
    let now = machine::clock().now().seconds();
    let claims = json!({ "iss": "signer", "sub": "signer", "aud": durward.issuer(), "iat": now, "exp": now + 240, "jti": "once" });
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()),
        ("client_assertion", key.sign("JWT", &claims).unwrap()),
    ];
    let ask = async |durward: &Durward, path: &str| {
        durward.client().post(durward.at(&format!("/realms/main/oauth2/{path}"))).form(&form).send().await.unwrap()
    };
    assert_eq!(ask(&durward, "token").await.status(), StatusCode::OK);
    durward.kill();
    durward.restart();
    for path in ["token", "par", "revoke"] {
        let answer = ask(&durward, path).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.json::<Value>().await.unwrap()["error"], "invalid_client", "{path}");
    }
}

#[tokio::test]
async fn keys_rotate_wholly_or_not_at_all() {
    let mut durward = Durward::start().await;
    for round in 0..kills() {
        let before = signing(&durward.command(&["keys", "list"]), "active");
        let data = durward.data();
        let rotation = tokio::task::spawn_blocking(move || {
            crate::fixture::durward().args(["keys", "rotate", "--output", "json", "--data"]).arg(data).output().unwrap()
        });
        a_moment(Duration::from_millis(300)).await;
        durward.kill();
        let acknowledged = rotation.await.unwrap();
        durward.restart();
        let keys = durward.command(&["keys", "list"]);
        let (active, published) = (signing(&keys, "active"), signing(&keys, "published"));
        assert_eq!((active.len(), published.len()), (before.len(), before.len()), "round {round}: {keys:#}");
        let moved = active.iter().filter(|key| !before.contains(key)).count();
        assert!(moved == 0 || moved == before.len(), "round {round}: rotated by half: {keys:#}");
        if acknowledged.status.success() {
            assert_eq!(moved, before.len(), "round {round}: the rotation was acknowledged and is lost");
        }
        let application = durward.application();
        let token = application.log_in(ALICE, PASSWORD).await.access_token;
        assert_eq!(application.userinfo(&token).await, StatusCode::OK);
    }
}

/// The ids of the realm's signing keys in a state.
fn signing(keys: &Value, state: &str) -> Vec<String> {
    let of_the_realm = |key: &&Value| key["issuer"].as_str().unwrap().contains("/realms/") && key["state"] == json!(state);
    keys.as_array().unwrap().iter().filter(of_the_realm).map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_first_start_that_is_killed_is_finished_by_the_next() {
    let _turn = Turn::shared().await;
    for _ in 0..kills() {
        let directory = tempfile::tempdir().unwrap();
        configure(directory.path(), free_port());
        let mut process = spawn(directory.path());
        a_moment(Duration::from_millis(1_500)).await;
        process.kill().unwrap();
        process.wait().unwrap();
        let durward = Durward::over(directory, Turn::None);
        durward.apply(crate::fixture::RESOURCES);
        let application = durward.application();
        let token = application.log_in(ALICE, PASSWORD).await.access_token;
        assert_eq!(application.userinfo(&token).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_first_start_that_fails_behind_its_root_key_leaves_the_recovery_key_to_be_shown() {
    let turn = Turn::shared().await;
    let directory = tempfile::tempdir().unwrap();
    configure(directory.path(), free_port());
    let file = directory.path().join("durward.yaml");
    let settings = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{settings}names: [\"a b\"]\n")).unwrap();
    assert!(!spawn(directory.path()).wait().unwrap().success());
    assert!(!directory.path().join("data.seal").exists());
    fs::write(&file, settings).unwrap();
    let durward = Durward::over(directory, turn);
    assert_eq!(durward.log().matches("Recovery key").count(), 1);
}

#[tokio::test]
async fn a_first_start_cut_off_on_either_side_of_its_root_key_is_finished_by_the_next() {
    let turn = Turn::shared().await;
    let directory = tempfile::tempdir().unwrap();
    let (seal, new_seal) = (directory.path().join("data.seal"), directory.path().join("data.seal.new"));
    configure(directory.path(), free_port());
    // Before the store had the root key: the seal that stands there opens nothing.
    fs::write(&new_seal, [7; 32]).unwrap();
    let mut durward = Durward::over(directory, turn);
    durward.apply(crate::fixture::RESOURCES);
    durward.stop();
    assert!(seal.exists() && !new_seal.exists());
    // After: the seal is not in its place yet, and nobody has seen the recovery key.
    fs::rename(&seal, &new_seal).unwrap();
    durward.restart();
    assert!(seal.exists() && !new_seal.exists());
    let application = durward.application();
    let token = application.log_in(ALICE, PASSWORD).await.access_token;
    assert_eq!(application.userinfo(&token).await, StatusCode::OK);
    durward.stop();
    durward.restart();
    assert_eq!(durward.log().matches("Recovery key").count(), 2, "shown by the first start and by the one that finished it");
}
