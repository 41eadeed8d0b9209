//! RFC 8707: resources by URL, at each endpoint that takes one.

use crate::fixture::{World, partner, secret_of, web_request};

const URL: &str = "https://orders.shop.example/v2";
const ALSO: &str = "https://orders.shop.example/v3";

async fn world() -> World {
    let world = World::new().await;
    world.change_service("shop", |service| service.resources = vec![URL.to_owned(), ALSO.to_owned()]).await;
    world
}

/// TOK-006: a service goes by its URLs as by its name, and what names anything else is refused.
#[tokio::test]
async fn a_resource_is_one_of_the_clients_services_by_name_or_url() {
    let world = world().await;
    let mut browser = world.browser();
    browser.tokens().await;
    for asked in [vec![URL], vec![URL, ALSO], vec!["shop", URL], vec!["shop"]] {
        let request: Vec<_> = asked.iter().map(|resource| ("resource", *resource)).collect();
        let arrived = browser.ask(&web_request(&request)).await;
        let redeemed = browser.redeem(&arrived.code(), &[("resource", ALSO)]).await;
        assert_eq!(redeemed.claims("access_token")["aud"], "shop", "the audience is the service: {}", redeemed.body);
    }
    for wrong in [
        vec!["https://orders.shop.example/v2#top"],
        vec!["https://orders.shop.example/v2/"],
        vec!["https://orders.shop.example"],
        vec!["/v2"],
        vec!["inventory"],
        vec![URL, "inventory"],
        vec![URL, "https://elsewhere.example/"],
    ] {
        let request: Vec<_> = wrong.iter().map(|resource| ("resource", *resource)).collect();
        let refused = browser.ask(&web_request(&request)).await;
        assert_eq!(refused.parameter("error").as_deref(), Some("invalid_target"), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_token_request_stays_with_the_resource_that_was_granted() {
    let world = world().await;
    let mut browser = world.browser();
    let tokens = browser.tokens().await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    browser.refresh(refresh, &[("resource", "inventory")]).await.is_error(400, "invalid_target");
    let twice = browser.refresh(refresh, &[("resource", URL), ("resource", ALSO)]).await;
    assert!(twice.status.is_success(), "{}", twice.body);

    world.change_service("inventory", |service| service.resources = vec!["https://stock.shop.example".to_owned()]).await;
    let program = |resource: &'static str| [("grant_type", "client_credentials"), ("resource", resource)];
    browser.basic("payments-program", &secret_of("payments-program"));
    let token = browser.token(&program("https://stock.shop.example")).await;
    assert!(token.status.is_success(), "{}", token.body);
    browser.basic("payments-program", &secret_of("payments-program"));
    browser.token(&program(URL)).await.is_error(400, "invalid_target");
}

#[tokio::test]
async fn a_pushed_request_names_its_resources_too() {
    let world = world().await;
    let (mut browser, secret) = (world.browser(), secret_of("partner"));
    for (resource, good) in [(URL, true), ("inventory", false)] {
        let request = partner(&[("resource", resource), ("client_secret", &secret)]);
        let answer = browser.post("/realms/main/oauth2/par", &request).await;
        if good {
            assert_eq!(answer.status.as_u16(), 201, "{}", answer.body);
        } else {
            answer.is_error(400, "invalid_target");
        }
    }
}
