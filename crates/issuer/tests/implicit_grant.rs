//! The implicit grant, for a client that is named for it: tokens through the browser, never in a query, and nothing to refresh.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use durward_base::base64url;
use durward_model::LegacyGrant;
use serde_json::Value;
use url::Url;

use crate::fixture::{Answer, Browser, ISSUER, World, partner, web_request};

async fn world() -> World {
    let world = World::new().await;
    for client in ["web", "partner"] {
        world.change_client(client, |client| client.legacy_grants = vec![LegacyGrant::Implicit]).await;
    }
    world
}

/// A request that is for tokens: without a challenge, as those clients make them.
fn implicit<'a>(response_type: &'a str, otherwise: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let changes = [("response_type", response_type), ("code_challenge", ""), ("code_challenge_method", "")];
    web_request(&[&changes, otherwise].concat())
}

fn fragment(answer: &Answer) -> HashMap<String, String> {
    let url = Url::parse(answer.location()).unwrap();
    assert_eq!(url.query(), None, "tokens never travel in a query: {url}");
    url::form_urlencoded::parse(url.fragment().unwrap().as_bytes()).into_owned().collect()
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&base64url::decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_client_that_is_named_for_it_gets_its_tokens_in_the_fragment_and_each_use_is_on_record() {
    let world = world().await;
    let mut browser = world.browser();
    let arrived = browser.arrive(&implicit("id_token token", &[]), "alice").await;
    assert_eq!(arrived.reason(), "legacy_grant.implicit");
    assert!(arrived.event.issued.is_some());
    let told = fragment(&arrived);
    assert_eq!((told["token_type"].as_str(), told["state"].as_str(), told["iss"].as_str()), ("Bearer", "af0ifjsldkj", ISSUER));
    assert!(told["expires_in"].parse::<u64>().unwrap() <= 300 && !told.contains_key("refresh_token") && !told.contains_key("code"));
    assert_eq!(told["scope"], "openid profile orders:read", "offline_access is ignored");
    let id_token = claims(&told["id_token"]);
    let hash = digest(&SHA256, told["access_token"].as_bytes());
    assert_eq!(id_token["at_hash"], base64url::encode(&hash.as_ref()[..16]), "RS256");
    assert_eq!((&id_token["nonce"], id_token.get("name")), (&"n-0S6_WzA2Mj".into(), None));
    assert_eq!(browser.userinfo(&told["access_token"]).await.status, 200);

    let again = browser.ask(&implicit("id_token", &[])).await;
    assert!(again.event.issued.is_none());
    let told = fragment(&again);
    assert!(!told.contains_key("access_token") && !told.contains_key("expires_in"));
    let id_token = claims(&told["id_token"]);
    assert_eq!((id_token.get("at_hash"), &id_token["name"]), (None, &"alice of the harbour".into()), "Core 5.4: there is nowhere else");

    let told = fragment(&browser.ask(&implicit("token", &[("nonce", "")])).await);
    assert!(told.contains_key("access_token") && !told.contains_key("id_token"));

    world.disable("alice").await;
    assert_eq!(browser.userinfo(&told["access_token"]).await.status, 401, "they die as all tokens do");
}

#[tokio::test]
async fn the_answer_comes_in_a_form_or_signed_when_that_is_asked_for() {
    let world = world().await;
    let mut browser = world.browser();
    let posted = browser.arrive(&implicit("id_token token", &[("response_mode", "form_post")]), "alice").await;
    assert_eq!(posted.status, 200);
    assert!(
        posted.attribute("name=\"access_token\"", "value").contains('.') && posted.attribute("name=\"id_token\"", "value").contains('.')
    );
    for mode in ["jwt", "fragment.jwt"] {
        let told = fragment(&browser.ask(&implicit("token", &[("response_mode", mode)])).await);
        assert!(claims(&told["response"])["access_token"].as_str().unwrap().contains('.'), "{mode}");
    }
}

/// AUTHZ-013: to clients that are not named for it there is no such thing, and those that are get it nowhere else and in no other way.
#[tokio::test]
async fn whoever_is_not_named_for_it_or_asks_otherwise_is_refused() {
    let world = world().await;
    let cases: [(_, _, &[_], _); 8] = [
        ("no nonce", "id_token", &[("nonce", "")], "invalid_request"),
        ("no nonce, both", "id_token token", &[("nonce", "")], "invalid_request"),
        ("no openid", "id_token", &[("scope", "orders:read")], "invalid_scope"),
        ("hybrid", "code id_token", &[], "unsupported_response_type"),
        ("hybrid, all", "code id_token token", &[], "unsupported_response_type"),
        ("twice", "token token", &[], "unsupported_response_type"),
        ("in the query", "token", &[("response_mode", "query")], "invalid_request"),
        ("signed in the query", "token", &[("response_mode", "query.jwt")], "invalid_request"),
    ];
    for (attack, response_type, otherwise, error) in cases {
        let refused = world.browser().ask(&implicit(response_type, otherwise)).await;
        assert!(refused.location().contains(&format!("error={error}&")), "AUTHZ-013 {attack}: {}", refused.location());
        assert!(!refused.location().contains("access_token") && !refused.location().contains("id_token="), "AUTHZ-013 {attack}");
    }
    let mut browser = world.browser();
    browser.token(&[("grant_type", "implicit"), ("client_id", "web")]).await.is_error(400, "unsupported_grant_type");
    let code = browser.arrive(&web_request(&[]), "alice").await;
    assert!(code.location().contains("?code="), "codes travel as ever");
    let fragment_for_a_code = browser.ask(&web_request(&[("response_mode", "fragment")])).await;
    assert_eq!(fragment_for_a_code.parameter("error").as_deref(), Some("invalid_request"));

    world.change_client("web", |client| client.legacy_grants.clear()).await;
    for response_type in ["token", "id_token", "id_token token"] {
        let refused = browser.ask(&implicit(response_type, &[])).await;
        assert_eq!(refused.parameter("error").as_deref(), Some("unsupported_response_type"), "AUTHZ-013 {response_type}");
    }
}

#[tokio::test]
async fn people_are_asked_as_for_a_code() {
    let world = world().await;
    let mut browser = world.browser();
    let asked = |prompt| {
        let request = [("response_type", "token"), ("code_challenge", ""), ("code_challenge_method", ""), ("prompt", prompt)];
        partner(&request)
    };
    let unknown = browser.ask(&asked("none")).await;
    assert!(unknown.body.contains("#error=login_required"), "{}", unknown.body);
    let arrived = browser.arrive(&asked(""), "alice").await;
    let page = browser.follow(&arrived).await;
    let denied = browser.decide(&page, "deny").await;
    assert_eq!(fragment(&denied)["error"], "access_denied");
    let page = consent(&mut browser, &asked("")).await;
    assert!(fragment(&browser.decide(&page, "allow").await).contains_key("access_token"));
}

async fn consent(browser: &mut Browser<'_>, request: &[(&str, &str)]) -> Answer {
    let asked = browser.ask(request).await;
    browser.follow(&asked).await
}

#[tokio::test]
async fn it_is_in_the_metadata_only_where_a_client_has_it() {
    let world = World::new().await;
    let discovery = |body: Value| (body["response_types_supported"].clone(), body["response_modes_supported"].to_string());
    let mut browser = world.browser();
    let (types, modes) = discovery(browser.get("/realms/main/.well-known/openid-configuration").await.json());
    assert_eq!((types, modes.contains("\"fragment\"")), (serde_json::json!(["code"]), false));
    world.change_client("web", |client| client.legacy_grants = vec![LegacyGrant::Implicit]).await;
    let (types, modes) = discovery(browser.get("/realms/main/.well-known/openid-configuration").await.json());
    assert_eq!((types, modes.contains("\"fragment\"")), (serde_json::json!(["code", "token", "id_token", "id_token token"]), true));
}
