//! What people allowed, in parts, and taking it back.

use durward_base::Duration;
use http::StatusCode;

use crate::fixture::{World, partner, web_request};

const CONSENTS: &str = "/realms/main/account/consents";

#[tokio::test]
async fn what_is_unticked_is_not_granted_and_not_asked_again_until_something_grows() {
    let world = World::new().await;
    let mut browser = world.browser();
    let request = partner(&[("scope", "openid orders:read orders:write")]);
    let arrived = browser.arrive(&request, "alice").await;
    let page = browser.follow(&arrived).await;
    assert!(page.body.contains("name=\"scope-2\"") && !page.body.contains("name=\"scope-1\""), "one is optional: {}", page.body);
    // A box that is not ticked is not sent.
    let allowed = browser.decide(&page, "allow").await;
    let answer = browser.redeem_as_partner(&allowed.code()).await;
    assert_eq!(answer.text("scope"), "openid orders:read");
    let again = browser.ask(&request).await;
    let answer = browser.redeem_as_partner(&again.code()).await;
    assert_eq!(answer.text("scope"), "openid orders:read", "the same answer, without a question");
    let grown = browser.ask(&partner(&[("scope", "openid profile orders:read orders:write")])).await;
    assert!(grown.location().contains("/consent?"), "{}", grown.location());
}

#[tokio::test]
async fn what_is_taken_back_ends_the_applications_access_and_is_asked_again() {
    let world = World::new().await;
    let mut browser = world.browser();
    let arrived = browser.arrive(&partner(&[]), "alice").await;
    let page = browser.follow(&arrived).await;
    let allowed = browser.decide(&page, "allow").await;
    let tokens = browser.redeem_as_partner(&allowed.code()).await;
    assert_eq!(browser.userinfo(&tokens.text("access_token")).await.status, StatusCode::OK);
    let listed = browser.get(CONSENTS).await;
    for text in ["Parcel Tracker", "See your orders", "Know that it is you"] {
        assert!(listed.body.contains(text), "{text}");
    }
    let (token, end) = (listed.attribute("name=\"transaction\"", "value"), listed.attribute("name=\"end\"", "value"));

    let mut bob = world.browser();
    bob.arrive(&web_request(&[]), "bob").await;
    let of_bob = bob.get("/realms/main/account/sessions").await.attribute("name=\"transaction\"", "value");
    assert_eq!(bob.post(CONSENTS, &[("transaction", &of_bob), ("end", &end)]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.userinfo(&tokens.text("access_token")).await.status, StatusCode::OK, "not his to take back");

    let foreign = browser.with("sec-fetch-site", "cross-site").post(CONSENTS, &[("transaction", &token), ("end", &end)]).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let taken = browser.post(CONSENTS, &[("transaction", &token), ("end", &end)]).await;
    assert_eq!(taken.location(), format!("https://auth.shop.example{CONSENTS}"));
    browser.userinfo(&tokens.text("access_token")).await.is_error(401, "invalid_token");
    assert!(!browser.get(CONSENTS).await.body.contains("Parcel Tracker"));
    world.clock.advance(Duration::from_secs(1));
    let again = browser.ask(&partner(&[])).await;
    assert!(again.location().contains("/consent?"), "{}", again.location());
}
