//! RFC 9396, from the request through the consent page into every answer.

use durward_model::resource::Service;
use serde_json::{Value, json};

use crate::fixture::{Answer, Browser, World, partner, secret_of, web_request};

fn declare(service: &mut Service) {
    let declared = json!({
        "payment": {
            "description": "Pay {amount.value} {amount.currency} to {creditor}",
            "members": {
                "amount": { "holds": "object", "required": true, "members": {
                    "value": { "holds": "text", "required": true },
                    "currency": { "holds": "text", "required": true, "values": ["EUR"] },
                } },
                "creditor": { "holds": "text", "required": true },
                "actions": { "holds": "texts", "values": ["initiate", "status"] },
            },
        },
    });
    service.authorization_details = serde_json::from_value(declared).unwrap();
}

async fn world() -> World {
    let world = World::new().await;
    world.change_service("shop", declare).await;
    for client in ["web", "partner"] {
        world.change_client(client, |client| client.authorization_details_types = vec!["payment".to_owned()]).await;
    }
    world
}

fn payment(actions: &[&str]) -> Value {
    let amount = json!({ "value": "12.50", "currency": "EUR" });
    json!([{ "type": "payment", "amount": amount, "creditor": "<b>Merchant</b> & Sons", "actions": actions }])
}

async fn introspected(browser: &mut Browser<'_>, token: &str) -> Value {
    browser.basic("payments-program", &secret_of("payments-program"));
    browser.post("/realms/main/oauth2/introspect", &[("token", token)]).await.json()
}

#[tokio::test]
async fn people_allow_exactly_the_details_they_read_and_every_answer_names_them() {
    let world = world().await;
    let mut browser = world.browser();
    let wanted = payment(&["initiate", "status"]);
    let (text, secret) = (wanted.to_string(), secret_of("partner"));
    let request = partner(&[("authorization_details", &text), ("scope", "openid")]);
    let arrived = browser.arrive(&request, "alice").await;
    let page = browser.follow(&arrived).await;
    assert!(page.body.contains("Pay 12.50 EUR to &#60;b&#62;Merchant&#60;/b&#62; &#38; Sons"), "{}", page.body);
    assert!(page.body.contains("<dt>actions</dt><dd>initiate, status</dd>"), "{}", page.body);
    let allowed = browser.decide(&page, "allow").await;
    let tokens = browser.redeem_as_partner(&allowed.code()).await;
    assert_eq!(tokens.json()["authorization_details"], wanted);
    assert_eq!(tokens.claims("access_token")["authorization_details"], wanted);
    assert_eq!(introspected(&mut browser, &tokens.text("access_token")).await["authorization_details"], wanted);

    // They were for this once: the same again is asked again, and `prompt=none` is told so.
    assert!(browser.ask(&request).await.location().contains("/consent?"));
    let silent = partner(&[("authorization_details", &text), ("scope", "openid"), ("prompt", "none")]);
    assert_eq!(browser.ask(&silent).await.parameter("error").as_deref(), Some("interaction_required"));

    let pushed = partner(&[("authorization_details", &text), ("client_secret", &secret)]);
    let uri = browser.post("/realms/main/oauth2/par", &pushed).await.text("request_uri");
    let arrived = browser.ask(&[("client_id", "partner"), ("request_uri", &uri)]).await;
    assert!(browser.follow(&arrived).await.body.contains("Pay 12.50 EUR"));
}

#[tokio::test]
async fn tokens_get_fewer_details_than_were_granted_and_never_others() {
    let world = world().await;
    let mut browser = world.browser();
    let (granted, fewer) = (payment(&["initiate", "status"]), payment(&["status"]));
    let (text, fewer_text) = (granted.to_string(), fewer.to_string());
    let arrived = browser.arrive(&web_request(&[("authorization_details", &text)]), "alice").await;
    let code = arrived.code();
    let other = payment(&["status"]).to_string().replace("12.50", "99.00");
    browser.redeem(&code, &[("authorization_details", &other)]).await.is_error(400, "invalid_authorization_details");
    let tokens = browser.redeem(&code, &[("authorization_details", &fewer_text)]).await;
    assert_eq!(tokens.json()["authorization_details"], fewer);
    let refresh = |tokens: &Answer| tokens.text("refresh_token");
    let all = browser.refresh(&refresh(&tokens), &[]).await;
    assert_eq!(all.json()["authorization_details"], granted, "the grant is what it was");
    browser.refresh(&refresh(&all), &[("authorization_details", &other)]).await.is_error(400, "invalid_authorization_details");
    let less = browser.refresh(&refresh(&all), &[("authorization_details", &fewer_text)]).await;
    assert_eq!(less.claims("access_token")["authorization_details"], fewer);

    world.change_client("web", |client| client.authorization_details_types.clear()).await;
    let lost = browser.refresh(&refresh(&less), &[]).await;
    assert_eq!(lost.json().get("authorization_details"), None, "a type that was taken from the client is gone");
}

#[tokio::test]
async fn details_that_nobody_declared_are_refused_wherever_they_come() {
    let world = world().await;
    let mut browser = world.browser();
    let unknown = json!([{ "type": "refund" }]).to_string();
    let many = json!(vec![payment(&["status"])[0].clone(); 17]).to_string();
    let large = payment(&["status"]).to_string().replace("Merchant", &"M".repeat(17 * 1024));
    for details in [unknown.as_str(), "{}", "[1]", "nothing", &many, &large] {
        let refused = browser.post("/realms/main/oauth2/authorize", &web_request(&[("authorization_details", details)])).await;
        assert_eq!(refused.parameter("error").as_deref(), Some("invalid_authorization_details"), "{details:.40}");
        let secret = secret_of("partner");
        let pushed = partner(&[("authorization_details", details), ("client_secret", &secret)]);
        browser.post("/realms/main/oauth2/par", &pushed).await.is_error(400, "invalid_authorization_details");
        browser.basic("payments-program", &secret_of("payments-program"));
        let own = [("grant_type", "client_credentials"), ("authorization_details", details)];
        browser.token(&own).await.is_error(400, "invalid_authorization_details");
    }
    let device = [("client_id", "tv"), ("authorization_details", unknown.as_str())];
    browser.post("/realms/main/oauth2/device_authorization", &device).await.is_error(400, "invalid_authorization_details");
}

#[tokio::test]
async fn a_program_gets_details_of_its_own_without_a_scope() {
    let world = world().await;
    world
        .change_client("payments-program", |client| {
            client.services.push("shop".to_owned());
            client.authorization_details_types = vec!["payment".to_owned()];
        })
        .await;
    let mut browser = world.browser();
    let details = payment(&["status"]);
    let text = details.to_string();
    browser.basic("payments-program", &secret_of("payments-program"));
    let own = [("grant_type", "client_credentials"), ("resource", "shop"), ("authorization_details", text.as_str())];
    let token = browser.token(&own).await;
    assert_eq!((&token.json()["scope"], &token.json()["authorization_details"]), (&json!(""), &details), "{}", token.body);
    let document = browser.get("/realms/main/.well-known/openid-configuration").await.json();
    assert_eq!(document["authorization_details_types_supported"], json!(["payment"]));
}
