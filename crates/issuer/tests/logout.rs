//! Signing out.

use http::StatusCode;

use crate::fixture::{World, web_request};

const LOGOUT: &str = "/realms/main/oauth2/logout";

#[tokio::test]
async fn an_application_that_knows_the_person_signs_them_out_everywhere() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.tokens().await;
    let (access, hint) = (tokens["access_token"].as_str().unwrap(), tokens["id_token"].as_str().unwrap());
    assert_eq!(browser.userinfo(access).await.status, StatusCode::OK);
    let left = browser.get(&format!("{LOGOUT}?id_token_hint={hint}&post_logout_redirect_uri=https://shop.example/bye&state=s1")).await;
    assert_eq!(left.location(), "https://shop.example/bye?state=s1");
    assert!(left.event.chain.session.is_some());
    assert!(!browser.cookies.contains_key("__Host-dw-sso-main"));
    browser.userinfo(access).await.is_error(401, "invalid_token");
    browser.refresh(tokens["refresh_token"].as_str().unwrap(), &[]).await.is_error(400, "invalid_grant");
    assert!(browser.ask(&web_request(&[])).await.location().contains("/login?"));
}

#[tokio::test]
async fn without_proof_of_who_asks_the_person_is_asked() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    let page = browser.get(LOGOUT).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("id=\"logout-submit\"") && page.body.contains("alice"));
    assert_eq!(browser.userinfo(access).await.status, StatusCode::OK, "asking ends nothing");
    let transaction = page.attribute("name=\"transaction\"", "value");
    let foreign = browser.with("sec-fetch-site", "cross-site").post(LOGOUT, &[("transaction", &transaction)]).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let left = browser.post(LOGOUT, &[("transaction", &transaction)]).await;
    assert_eq!(left.status, StatusCode::OK);
    assert!(left.body.contains("You are signed out"));
    browser.userinfo(access).await.is_error(401, "invalid_token");
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let world = World::new().await;
    let mut browser = world.browser();
    let hint = browser.tokens().await["id_token"].as_str().unwrap().to_owned();
    for query in [
        format!("id_token_hint={hint}&post_logout_redirect_uri=https://evil.example/"),
        "client_id=web&post_logout_redirect_uri=https://shop.example/bye/".to_owned(),
        "post_logout_redirect_uri=https://shop.example/bye".to_owned(),
        format!("id_token_hint={hint}&client_id=partner"),
        format!("id_token_hint={}", &hint[..hint.len() - 4]),
    ] {
        let refused = browser.get(&format!("{LOGOUT}?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(refused.body.contains("You were not signed out"));
    }
    assert!(browser.ask(&web_request(&[])).await.parameter("code").is_some(), "still signed in");
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_that_they_are_out() {
    let world = World::new().await;
    let mut browser = world.browser();
    assert!(browser.get(LOGOUT).await.body.contains("You are signed out"));
    let back = browser.get(&format!("{LOGOUT}?client_id=web&post_logout_redirect_uri=https://shop.example/bye")).await;
    assert_eq!(back.location(), "https://shop.example/bye");
}
