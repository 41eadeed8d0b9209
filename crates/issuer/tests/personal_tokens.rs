//! Personal access tokens, from the page to the service that asks about one.

use http::StatusCode;

use crate::fixture::{Answer, Browser, PASSWORD, World, web_request};

const TOKENS: &str = "/realms/main/account/tokens";

async fn page<'w>(world: &'w World) -> (Browser<'w>, Answer) {
    let mut browser = world.browser();
    browser.arrive(&web_request(&[]), "alice").await;
    let page = browser.get(TOKENS).await;
    assert_eq!(page.status, StatusCode::OK);
    (browser, page)
}

const WISH: [(&str, &str); 4] = [("name", "Backup"), ("resource", "inventory"), ("scope inventory stock:read", "on"), ("days", "30")];

async fn make(browser: &mut Browser<'_>, page: &Answer, otherwise: &[(&'static str, &'static str)]) -> Answer {
    let transaction = page.attribute("class=\"make\"", "action");
    assert_eq!(transaction, TOKENS);
    let transaction = page.body.rsplit_once("name=\"transaction\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let kept = WISH.iter().filter(|(name, _)| otherwise.iter().all(|(other, _)| other != name));
    let fields: Vec<_> = kept.chain(otherwise).copied().filter(|(_, value)| !value.is_empty()).collect();
    browser.with("sec-fetch-site", "same-origin");
    browser.post(TOKENS, &[&[("transaction", transaction.as_str())], fields.as_slice()].concat()).await
}

#[tokio::test]
async fn a_token_is_shown_once_counts_for_its_service_and_dies_when_it_is_revoked() {
    let world = World::new().await;
    let (mut browser, form) = page(&world).await;
    let made = make(&mut browser, &form, &[]).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let token = made.attribute("id=\"token-text\"", "value");
    assert!(token.starts_with("dw_pat_"), "{token}");
    assert!(!serde_json::to_string(&made.event).unwrap().contains(&token));
    assert_eq!(make(&mut browser, &form, &[]).await.location(), format!("https://auth.shop.example{TOKENS}"), "the form makes one");

    let listed = browser.get(TOKENS).await;
    for text in ["Backup", "See the stock", "Never used"] {
        assert!(listed.body.contains(text), "{text}");
    }
    assert!(!listed.body.contains(&token) && listed.body.matches("name=\"end\"").count() == 1);
    assert!(browser.is_active(&token, "inventory-program").await);
    assert!(!browser.is_active(&token, "payments-program").await, "another service learns nothing");
    world.issuer.write_last_uses().await;
    assert!(browser.get(TOKENS).await.body.contains("Last used just now"));

    let altered = format!("{}A", &token[..token.len() - 1]);
    for wrong in [altered.as_str(), &format!("{token}A"), &token[..token.len() - 1]] {
        assert!(!browser.is_active(wrong, "inventory-program").await, "{wrong}");
    }
    let (ending, id) = (listed.attribute("name=\"transaction\"", "value"), listed.attribute("name=\"end\"", "value"));
    let ended = browser.post(TOKENS, &[("transaction", &ending), ("end", &id)]).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER);
    assert!(!browser.is_active(&token, "inventory-program").await);
    assert!(!browser.get(TOKENS).await.body.contains("Backup"));
}

#[tokio::test]
async fn a_token_is_for_what_its_service_has_and_for_as_long_as_the_realm_allows() {
    let world = World::new().await;
    let (mut browser, form) = page(&world).await;
    for (otherwise, reason) in [
        (&[("name", "")][..], "personal_token.name"),
        (&[("resource", "")], "personal_token.service"),
        (&[("resource", "durward-admin-api")], "personal_token.service"),
        (&[("scope inventory stock:read", "")], "personal_token.scopes"),
        (&[("resource", "shop")], "personal_token.scopes"),
        (&[("days", "367")], "personal_token.lifetime"),
        (&[("days", "0")], "personal_token.lifetime"),
        (&[("days", "unlimited")], "personal_token.lifetime"),
    ] {
        let refused = make(&mut browser, &form, otherwise).await;
        assert_eq!((refused.status, refused.reason()), (StatusCode::BAD_REQUEST, reason), "{otherwise:?}");
    }
    assert!(!browser.get(TOKENS).await.body.contains("name=\"end\""));
}

#[tokio::test]
async fn a_token_dies_with_its_person_and_nobody_ends_anybody_elses() {
    let world = World::new().await;
    let (mut browser, form) = page(&world).await;
    let made = make(&mut browser, &form, &[]).await;
    let token = made.attribute("id=\"token-text\"", "value");
    let id = browser.get(TOKENS).await.attribute("name=\"end\"", "value");
    let mut bob = world.browser();
    bob.arrive(&web_request(&[]), "bob").await;
    let of_bob = bob.get(TOKENS).await;
    let ending = of_bob.attribute("name=\"transaction\"", "value");
    bob.post(TOKENS, &[("transaction", &ending), ("end", &id)]).await;
    assert!(browser.is_active(&token, "inventory-program").await);
    world.disable("alice").await;
    assert!(!browser.is_active(&token, "inventory-program").await);
}

/// MFA-004, CSRF-010: a browser that was left open makes nothing that lasts.
#[tokio::test]
async fn a_token_is_made_by_whoever_has_just_signed_in() {
    let world = World::new().await;
    let (mut browser, form) = page(&world).await;
    world.clock.advance(durward_base::Duration::from_secs(301));
    let late = make(&mut browser, &form, &[]).await;
    assert!(late.location().contains("/login?"), "{}", late.location());
    let shown = browser.get(TOKENS).await;
    assert!(!shown.body.contains("id=\"token-make\"") && shown.body.contains("id=\"token-prove\""), "{}", shown.body);
    let login = browser.get(&format!("{TOKENS}?make=token")).await;
    assert!(login.location().contains("/login?"), "{}", login.location());
    let shown = browser.follow(&login).await;
    let again = browser.log_in(&shown, "alice", PASSWORD).await;
    assert!(again.location().ends_with(TOKENS), "{}", again.location());
    let form = browser.get(TOKENS).await;
    assert_eq!(make(&mut browser, &form, &[]).await.status, StatusCode::OK);
}
