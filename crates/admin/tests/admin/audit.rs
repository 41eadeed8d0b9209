//! The record, read through the admin API.

use durward_model::Outcome;
use http::{Method, StatusCode};
use serde_json::json;

use crate::fixture::{OWN, World};

#[tokio::test]
async fn a_change_is_found_in_the_record_by_what_is_known_of_it() {
    let world = World::with_shop().await;
    world.post("people/alice/disable", &json!({})).await;
    let found = world.get("audit?kind=person.changed").await.body;
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    let event = &found["items"][0];
    assert_eq!(
        (&event["target"], &event["outcome"], &event["caller"]["id"]),
        (&json!("person/alice"), &json!("changed"), &json!("uid:1000"))
    );
    assert_eq!(world.get("audit?kind=person.changed&outcome=denied").await.body["items"], json!([]));
    assert_eq!(world.get("audit?person=alice").await.body["items"], json!([]), "she did nothing herself");
    let since = crate::fixture::NOW.millis() + 1;
    assert_eq!(world.get(&format!("audit?since={since}")).await.body["items"], json!([]));
}

#[tokio::test]
async fn pages_of_the_record_follow_each_other_without_a_hole() {
    let world = World::with_shop().await;
    for _ in 0..5 {
        world.get("roles").await;
        world.clock.advance(durward_base::Duration::from_millis(7));
    }
    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("audit?kind=resource.read&page_size=2{before}")).await.body;
        seen.extend(page["items"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|newer, older| newer > older));
}

#[tokio::test]
async fn a_request_is_explained_by_its_id() {
    let world = World::with_shop().await;
    let changed = world.post("people/alice/disable", &json!({})).await.event;
    let explained = world.get(&format!("explain/{}", changed.id)).await;
    assert_eq!(explained.body["hops"][0]["target"], "person/alice", "{}", explained.body);
    let text = world.get(&format!("explain/{}?form=text", changed.id)).await;
    assert!(String::from_utf8_lossy(&text.bytes).contains("person/alice"));
    let refused = world.call(OWN, Method::DELETE, "people/nobody", None).await;
    assert_eq!((refused.status, refused.event.outcome), (StatusCode::NOT_FOUND, Outcome::Denied));
    assert_eq!(world.get(&format!("explain/{}", refused.event.id)).await.body["hops"][0]["reason"], "not_found");
    assert_eq!(world.get("explain/nonsense").await.status, StatusCode::BAD_REQUEST);
    let unknown = durward_base::EventId::new(crate::fixture::NOW, &world.rng);
    assert_eq!(world.get(&format!("explain/{unknown}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_record_stands_where_its_checkpoints_say() {
    let world = World::with_shop().await;
    let verified = world.get("audit/verify").await;
    assert_eq!(verified.status, StatusCode::OK, "{}", verified.body);
    assert_eq!(verified.body["lost"], 0);
}

/// Nothing secret is recorded, whatever went through.
#[tokio::test]
async fn no_secret_is_in_any_event() {
    let world = World::with_shop().await;
    let made = world.post("clients/payments-program/secrets", &json!({})).await.body;
    world.call(OWN, Method::PUT, "people/alice/password", Some(&json!({"password": "swordfish-canary"}))).await;
    let mut refused = crate::fixture::shop();
    refused["secrets"]["payments-program"] = json!(["canary with spaces, which is refused for them"]);
    world.post("apply", &refused).await;
    let everything = world.get("audit?page_size=200").await.body.to_string();
    for canary in
        [made["secret"].as_str().unwrap(), "swordfish-canary", "canary with spaces", crate::fixture::SECRET, crate::fixture::PASSWORD]
    {
        assert!(!everything.contains(canary), "{canary}");
    }
}
