//! What passwords may be set, wherever one is.

use http::{Method, StatusCode};
use serde_json::json;

use crate::fixture::{LEAKED, OWN, World};

/// LOGIN-004
#[tokio::test]
async fn a_password_that_others_know_or_would_guess_is_set_nowhere() {
    let world = World::with_shop().await;
    for (password, why) in [
        ("7 chars", "8 to 256 characters"),
        ("qwertyuiop", "everybody tries first"),
        ("Password123", "everybody tries first"),
        ("aaaaaaaaaaaa", "everybody tries first"),
        ("alice-2026", "little more than the username"),
        ("main-1234", "little more than the username"),
        (LEAKED, "published after a breach"),
    ] {
        let set = world.call(OWN, Method::PUT, "people/alice/password", Some(&json!({"password": password}))).await;
        assert_eq!(set.status, StatusCode::BAD_REQUEST, "{password}");
        assert!(set.body.to_string().contains(why), "{password}: {}", set.body);
        let person = json!({"resources": [{"kind": "person", "name": "alice"}], "passwords": {"alice": password}});
        let applied = world.post("apply", &person).await;
        assert!(applied.status.is_client_error() && applied.body.to_string().contains(why), "{password}: {}", applied.body);
        for answer in [set, applied] {
            assert!(
                !answer.body.to_string().contains(password) && !format!("{:?}", answer.event).contains(password),
                "{password} is not repeated"
            );
        }
    }
    let good = world.call(OWN, Method::PUT, "people/alice/password", Some(&json!({"password": "dover sole and no chips"}))).await;
    assert_eq!(good.status, StatusCode::NO_CONTENT, "{}", good.body);
}
