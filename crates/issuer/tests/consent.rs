//! The consent page, and the attacks on it.

use http::StatusCode;

use crate::fixture::{Answer, Browser, World, partner, web_request};

async fn page(browser: &mut Browser<'_>) -> Answer {
    let arrived = browser.arrive(&partner(&[]), "alice").await;
    assert!(arrived.location().starts_with("https://auth.shop.example/realms/main/consent?"), "{}", arrived.location());
    browser.follow(&arrived).await
}

#[tokio::test]
async fn people_read_who_asks_for_what_and_where_they_go() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = page(&mut browser).await;
    for text in [
        "Allow Parcel Tracker to use your account?",
        "alice",
        "Know that it is you",
        "See your orders",
        "parcels.example",
        "id=\"consent-allow\"",
        "id=\"consent-deny\"",
    ] {
        assert!(page.body.contains(text), "{text}");
    }
}

#[tokio::test]
async fn what_was_allowed_is_remembered_until_more_is_asked_for() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = page(&mut browser).await;
    let allowed = browser.decide(&page, "allow").await;
    assert!(allowed.location().starts_with("https://parcels.example/cb?code="), "{}", allowed.location());
    assert!(browser.ask(&partner(&[])).await.location().starts_with("https://parcels.example/cb?code="));
    let more = browser.ask(&partner(&[("scope", "openid orders:write")])).await;
    assert!(more.location().contains("/consent?"), "{}", more.location());
    let again = browser.ask(&partner(&[("prompt", "consent")])).await;
    assert!(again.location().contains("/consent?"), "{}", again.location());
}

#[tokio::test]
async fn a_denial_goes_back_to_the_application_and_allows_nothing() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = page(&mut browser).await;
    let denied = browser.decide(&page, "deny").await;
    assert_eq!(denied.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(denied.parameter("state").as_deref(), Some("af0ifjsldkj"));
    assert_eq!(denied.reason(), "denied_by_person");
    assert!(browser.ask(&partner(&[])).await.location().contains("/consent?"));
}

/// AUTHZ-017
#[tokio::test]
async fn consent_is_given_on_our_page_in_the_same_browser_to_exactly_what_was_shown_once() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = page(&mut browser).await;
    let transaction = page.attribute("name=\"transaction\"", "value");
    let form = |transaction: &str| [("transaction", transaction.to_owned()), ("decision", "allow".to_owned())];
    let consent = "/realms/main/consent";

    for (header, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example"), ("origin", "null")]
    {
        browser.with(header, value);
        let foreign = post(&mut browser, consent, &form(&transaction)).await;
        assert_eq!((foreign.status, foreign.reason()), (StatusCode::FORBIDDEN, "form.foreign"));
    }
    let mut middle = transaction.clone().into_bytes();
    middle[40] = if middle[40] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(middle).unwrap();
    let login = browser.ask(&web_request(&[("prompt", "login")])).await;
    let of_login = url::Url::parse(login.location()).unwrap().query_pairs().next().unwrap().1.into_owned();
    for wrong in ["", "x", &altered, &of_login] {
        let stale = post(&mut browser, consent, &form(wrong)).await;
        assert_eq!((stale.status, stale.reason()), (StatusCode::BAD_REQUEST, "form.stale"), "{wrong}");
    }
    let mut stranger = world.browser();
    assert_eq!(post(&mut stranger, consent, &form(&transaction)).await.status, StatusCode::BAD_REQUEST, "another browser");
    let tampered = [form(&transaction).to_vec(), vec![("scope", "orders:write".to_owned()), ("client_id", "web".to_owned())]].concat();
    let allowed = post(&mut browser, consent, &tampered).await;
    assert!(allowed.location().starts_with("https://parcels.example/cb?code="), "what was sealed counts: {}", allowed.location());
    let replayed = post(&mut browser, consent, &form(&transaction)).await;
    assert_eq!((replayed.status, replayed.reason()), (StatusCode::CONFLICT, "consent.replayed"));
}

/// AUTHZ-017
#[tokio::test]
async fn a_consent_page_is_answered_once_whichever_way() {
    let world = World::new().await;
    for (first, second) in [("deny", "allow"), ("deny", "deny"), ("allow", "deny")] {
        let mut browser = world.browser();
        let arrived = browser.arrive(&partner(&[("prompt", "consent")]), "alice").await;
        let page = browser.follow(&arrived).await;
        assert!(browser.decide(&page, first).await.location().starts_with("https://parcels.example/cb?"));
        let replayed = browser.decide(&page, second).await;
        assert_eq!((replayed.status, replayed.reason()), (StatusCode::CONFLICT, "consent.replayed"), "{first}, then {second}");
    }
}

/// AUTHZ-017
#[tokio::test]
async fn consent_belongs_to_the_login_it_was_shown_to() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = page(&mut browser).await;
    let again = browser.ask(&web_request(&[("prompt", "login")])).await;
    let login = browser.follow(&again).await;
    browser.log_in(&login, "bob", crate::fixture::PASSWORD).await;
    let other = browser.decide(&page, "allow").await;
    assert_eq!((other.status, other.reason()), (StatusCode::BAD_REQUEST, "form.stale"));
}

async fn post(browser: &mut Browser<'_>, target: &str, form: &[(&str, String)]) -> Answer {
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post(target, &form).await
}
