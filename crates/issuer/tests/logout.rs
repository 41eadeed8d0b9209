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

/// RP-Initiated Logout section 2: an ID token of a login that is over, or of another device, ends nothing by itself.
#[tokio::test]
async fn an_id_token_of_another_login_of_the_same_person_is_asked_about() {
    let world = World::new().await;
    let (mut here, mut elsewhere) = (world.browser(), world.browser());
    let access = here.tokens().await["access_token"].as_str().unwrap().to_owned();
    let hint = elsewhere.tokens().await["id_token"].as_str().unwrap().to_owned();
    let page = here.get(&format!("{LOGOUT}?id_token_hint={hint}")).await;
    assert!(page.status == StatusCode::OK && page.body.contains("id=\"logout-submit\""), "{}", page.body);
    assert_eq!(here.userinfo(&access).await.status, StatusCode::OK, "asking ends nothing");
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

/// RFC 9700 section 4.11.2: nobody is sent on by somebody else's client before they have clicked on anything.
#[tokio::test]
async fn who_is_not_signed_in_follows_a_link_to_somebody_elses_client() {
    let world = World::new().await;
    let bye = "https://parcels.example/bye";
    world.change_client("partner", |client| client.post_logout_redirect_uris = vec![bye.to_owned()]).await;
    let target = format!("{LOGOUT}?client_id=partner&post_logout_redirect_uri={bye}&state=s1");
    let page = world.browser().get(&target).await;
    assert_eq!((page.status, page.headers.get("refresh")), (StatusCode::OK, None));
    assert_eq!(page.attribute("id=\"logged-out-onward\"", "href"), format!("{bye}?state=s1"));
}

#[tokio::test]
async fn the_last_page_tells_the_clients_of_this_login_in_frames_and_then_goes_back() {
    let world = World::new().await;
    let uri = durward_model::EgressUrl::parse("https://shop.example/out?from=auth").unwrap();
    world.change_client("web", |client| client.frontchannel_logout_uri = Some(uri)).await;
    let mut browser = world.browser();
    let hint = browser.tokens().await["id_token"].as_str().unwrap().to_owned();
    let payload = durward_base::base64url::decode(hint.split('.').nth(1).unwrap()).unwrap();
    let sid = serde_json::from_slice::<serde_json::Value>(&payload).unwrap()["sid"].as_str().unwrap().to_owned();
    let page = browser.get(&format!("{LOGOUT}?id_token_hint={hint}&post_logout_redirect_uri=https://shop.example/bye&state=s1")).await;
    assert_eq!(page.status, StatusCode::OK);
    let framed = page.attribute("<iframe ", "src").replace("&#38;", "&").replace("&amp;", "&");
    assert_eq!(framed, format!("https://shop.example/out?from=auth&iss=https%3A%2F%2Fauth.shop.example%2Frealms%2Fmain&sid={sid}"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("; frame-src https://shop.example; frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.header("refresh"), "3; url=https://shop.example/bye?state=s1");
    assert!(!browser.cookies.contains_key("__Host-dw-sso-main"));
    let again = browser.get(LOGOUT).await;
    assert!(!again.body.contains("<iframe") && !again.header("content-security-policy").contains("frame-src"), "nobody is left to tell");
}
