//! RFC 8693 and RFC 7523 at the token endpoint, over the real store.

use durward_jose::{Algorithm, SigningKey};
use durward_model::resource::{Policy, Resource, Stored, TrustedIssuer};
use durward_model::{GrantType, Write};
use http::StatusCode;
use serde_json::json;

use crate::fixture::{Answer, Browser, ISSUER, NOW, World, secret_of};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

async fn world() -> World {
    let world = World::new().await;
    let grants = [GrantType::ClientCredentials, GrantType::TokenExchange, GrantType::JwtBearer];
    world.change_client("payments-program", |client| client.grants = grants.to_vec()).await;
    world
}

async fn exchange(browser: &mut Browser<'_>, subject: &str) -> Answer {
    browser.basic("payments-program", &secret_of("payments-program"));
    let form = [("grant_type", EXCHANGE), ("subject_token", subject), ("subject_token_type", ACCESS_TOKEN), ("resource", "inventory")];
    browser.token(&form).await
}

async fn declare(world: &World, resource: Resource) {
    let id = durward_base::ResourceId::new(NOW, &world.rng);
    let stored = Stored { id, realm: "main".to_owned(), version: 1, resource };
    world.write(&[Write::PutResource { stored: Box::new(stored), expected: None }]).await;
}

/// XCHG-002
#[tokio::test]
async fn an_exchanged_token_is_on_record_is_active_and_dies_with_the_login() {
    let world = world().await;
    let mut browser = world.browser();
    let subject = browser.tokens().await["access_token"].as_str().unwrap().to_owned();
    let answer = exchange(&mut browser, &subject).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!((answer.text("issued_token_type").as_str(), answer.header("cache-control")), (ACCESS_TOKEN, "no-store"));
    let (caller, alice) = (answer.event.caller.clone().unwrap(), world.person("alice").await);
    assert_eq!((caller.id.as_str(), &caller.acts_for.as_ref().unwrap().id), ("shop", &alice.sub));
    assert!(answer.event.chain.session.is_some() && caller.credential.is_some());
    assert!(browser.is_active(&answer.text("access_token"), "inventory-program").await);

    let session = world.store.sessions_of("main", alice.id, NOW).await.unwrap().remove(0).id;
    world.write(&[Write::EndSession { realm: "main".to_owned(), session, at: NOW, reason: "revoked" }]).await;
    assert!(!browser.is_active(&answer.text("access_token"), "inventory-program").await, "what came of it is dead");
    let late = exchange(&mut browser, &subject).await;
    late.is_error(400, "invalid_request");
    assert_eq!(late.reason(), "revoked");
}

/// XCHG-001
#[tokio::test]
async fn a_token_of_somebody_elses_service_or_realm_buys_nothing() {
    let world = world().await;
    let mut browser = world.browser();
    let foreign = browser.program_token("inventory-program").await.text("access_token");
    let answer = exchange(&mut browser, &foreign).await;
    answer.is_error(400, "invalid_request");
    assert_eq!(answer.reason(), "subject_token.not_for_the_client");
    let subject = browser.tokens().await["access_token"].as_str().unwrap().to_owned();
    browser.basic("inventory-program", &secret_of("inventory-program"));
    let form = [("grant_type", EXCHANGE), ("subject_token", subject.as_str()), ("subject_token_type", ACCESS_TOKEN)];
    browser.token(&form).await.is_error(400, "unauthorized_client");
    browser.basic("payments-program", &secret_of("payments-program"));
    browser.post("/realms/other/oauth2/token", &form).await.is_error(400, "unauthorized_client");
}

#[tokio::test]
async fn a_policy_about_issuing_is_asked_and_named() {
    let world = world().await;
    let mut browser = world.browser();
    let text = format!(
        r#"forbid (principal, action == Action::"issue", resource == Durward::Service::"inventory")
        when {{ context has grant && context.grant == "{EXCHANGE}" }};"#
    );
    declare(&world, Resource::Policy(Policy { name: "nobody-acts".to_owned(), text })).await;
    let subject = browser.tokens().await["access_token"].as_str().unwrap().to_owned();
    let answer = exchange(&mut browser, &subject).await;
    answer.is_error(400, "invalid_request");
    assert_eq!(answer.reason(), "policy_denied");
    assert_eq!(answer.event.decided.as_ref().unwrap().rule, "nobody-acts");
    assert_eq!(browser.program_token("payments-program").await.status, StatusCode::OK);
}

/// RFC 7523 section 3: good once.
#[tokio::test]
async fn a_trusted_issuers_assertion_is_good_once() {
    let world = world().await;
    let mut browser = world.browser();
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let issuer = json!({
        "name": "pipelines", "issuer": "https://pipelines.example", "jwks": {"keys": [key.jwk()]}, "algorithms": ["ES256"],
        "subjects": "programs", "scopes": ["stock:read"],
    });
    let issuer: TrustedIssuer = serde_json::from_value(issuer).unwrap();
    declare(&world, Resource::TrustedIssuer(issuer)).await;
    let claims = json!({
        "iss": "https://pipelines.example", "sub": "main", "aud": ISSUER, "iat": NOW.seconds(), "exp": NOW.seconds() + 60, "jti": "one",
    });
    let assertion = key.sign("JWT", &claims).unwrap();
    let form = [("grant_type", BEARER), ("assertion", assertion.as_str())];
    browser.basic("payments-program", &secret_of("payments-program"));
    let answer = browser.token(&form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.text("scope"), "stock:read");
    assert_eq!(answer.event.caller.as_ref().unwrap().acts_for.as_ref().unwrap().id, "pipelines|main");
    browser.basic("payments-program", &secret_of("payments-program"));
    let again = browser.token(&form).await;
    again.is_error(400, "invalid_grant");
    assert_eq!(again.reason(), "assertion.replayed");
}
