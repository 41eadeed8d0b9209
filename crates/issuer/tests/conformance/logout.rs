//! The plans RP-Initiated, Back-Channel and Front-Channel Logout, as far as `logout.rs` and `logout_delivery.rs` do not look at it.

use durward_model::EgressUrl;
use http::StatusCode;
use url::form_urlencoded::Serializer;

use super::openid::{redeem, request, world};
use crate::fixture::{Answer, Browser, World};

const LOGOUT: &str = "/realms/main/oauth2/logout";
const BYE: &str = "https://parcels.example/bye";

async fn out(browser: &mut Browser<'_>, query: &[(&str, &str)]) -> Answer {
    browser.get(&format!("{LOGOUT}?{}", Serializer::new(String::new()).extend_pairs(query).finish())).await
}

async fn is_logged_in(browser: &mut Browser<'_>) -> bool {
    browser.ask(&request(&[("prompt", "none")])).await.parameter("code").is_some()
}

async fn logged_in(world: &World) -> (Browser<'_>, String) {
    let mut browser = world.browser();
    let code = browser.arrive(&request(&[]), "alice").await.code();
    let hint = redeem(&mut browser, &code, &[]).await.text("id_token");
    (browser, hint)
}

async fn realm() -> World {
    let world = world().await;
    world.change_client("partner", |client| client.post_logout_redirect_uris = vec![BYE.to_owned()]).await;
    world
}

/// `oidcc-rp-initiated-logout`, `-no-state`, `-only-state`, `-no-params`, `-no-post-logout-redirect-uri`, `-no-id-token-hint`.
#[tokio::test]
async fn each_request_that_is_right_ends_the_login_at_once_or_asks() {
    let world = realm().await;
    for (name, state, address, hinted, asks) in [
        ("everything", Some("s&1 ä"), true, true, false),
        ("no state", None, true, true, false),
        ("no address", None, false, true, false),
        ("only state", Some("s"), false, false, true),
        ("nothing", None, false, false, true),
        ("no hint", Some("s"), true, false, true),
    ] {
        let (mut browser, hint) = logged_in(&world).await;
        let mut query: Vec<(&str, &str)> = state.map(|state| ("state", state)).into_iter().collect();
        query.extend(address.then_some(("post_logout_redirect_uri", BYE)));
        query.extend(if hinted { Some(("id_token_hint", hint.as_str())) } else { address.then_some(("client_id", "partner")) });
        let mut answer = out(&mut browser, &query).await;
        if asks {
            assert!(is_logged_in(&mut browser).await, "{name}: asking ends nothing");
            let transaction = answer.attribute("name=\"transaction\"", "value");
            answer = browser.with("sec-fetch-site", "same-origin").post(LOGOUT, &[("transaction", &transaction)]).await;
        }
        if address {
            assert!(answer.location().starts_with(BYE), "{name}");
            assert_eq!(answer.parameter("state").as_deref(), state, "{name}");
        } else {
            assert!(answer.body.contains("You are signed out"), "{name}");
        }
        assert!(!is_logged_in(&mut browser).await, "{name}");
    }
    let (mut browser, hint) = logged_in(&world).await;
    let posted = browser.post(LOGOUT, &[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).await;
    assert_eq!(posted.location(), BYE, "2: GET and POST");
}

/// `-bad-post-logout-redirect-uri`, `-query-added-to-post-logout-redirect-uri`, `-bad-id-token-hint`, `-modified-id-token-hint`.
#[tokio::test]
async fn nobody_is_sent_on_by_a_request_that_is_wrong() {
    let world = realm().await;
    let (mut browser, hint) = logged_in(&world).await;
    let modified = format!("{}A{}", &hint[..60], &hint[61..]);
    for query in [
        [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", "https://parcels.example/bye?x=1")],
        [("id_token_hint", &hint), ("post_logout_redirect_uri", "https://evil.example/")],
        [("id_token_hint", "x"), ("post_logout_redirect_uri", BYE)],
        [("id_token_hint", &modified), ("post_logout_redirect_uri", BYE)],
    ] {
        let shown = out(&mut browser, &query).await;
        assert_eq!((shown.status, shown.header("location")), (StatusCode::BAD_REQUEST, ""), "{query:?}");
    }
    assert!(is_logged_in(&mut browser).await);
}

/// `oidcc-frontchannel-rp-initiated-logout`: the page loads the client with `iss` and `sid`, and then goes on by itself.
#[tokio::test]
async fn the_browser_tells_the_client_and_then_goes_on() {
    let world = realm().await;
    let uri = EgressUrl::parse("https://parcels.example/frontchannel?a=1").unwrap();
    world.change_client("partner", |client| client.frontchannel_logout_uri = Some(uri)).await;
    let (mut browser, hint) = logged_in(&world).await;
    let page = out(&mut browser, &[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", "s")]).await;
    let frame = page.attribute("<iframe", "src");
    assert!(frame.starts_with("https://parcels.example/frontchannel?a=1&iss=https%3A%2F%2Fauth.shop.example") && frame.contains("&sid="));
    assert_eq!(page.header("refresh"), format!("3; url={BYE}?state=s"));
}

/// A hint under the client's own secret cannot be verified here, where secrets are not kept: it says nothing, and the person is asked.
#[tokio::test]
async fn who_comes_with_a_hint_under_a_secret_is_asked() {
    let world = realm().await;
    world.change_client("partner", |client| client.id_token_signed_response_alg = Some("HS256".to_owned())).await;
    let (mut browser, hint) = logged_in(&world).await;
    let page = out(&mut browser, &[("id_token_hint", &hint), ("client_id", "partner"), ("post_logout_redirect_uri", BYE)]).await;
    assert!(page.body.contains("id=\"logout-submit\""), "{}", page.body);
    let transaction = page.attribute("name=\"transaction\"", "value");
    let left = browser.with("sec-fetch-site", "same-origin").post(LOGOUT, &[("transaction", &transaction)]).await;
    assert_eq!(left.location(), BYE);
}
