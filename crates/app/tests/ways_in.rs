//! API keys and HTTP Basic at the gateway: asked of the authority once, and dead at once.

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::fixture::{ALICE, Durward, PASSWORD, PROGRAM, PROGRAM_SECRET, PROMPT, within};

/// A gateway whose `/orders` takes keys and passwords, and that withholds a field which nobody else knows. The service says what it was asked.
async fn open() -> Durward {
    let mut durward = Durward::start().await;
    durward.configure("gateway: {withhold: [x-legacy-user]}");
    durward.stop();
    durward.restart();
    let service = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let upstream = format!("http://{}", service.local_addr().unwrap());
    let echo = |uri: http::Uri, headers: http::HeaderMap| async move {
        let legacy = headers.get("x-legacy-user").map_or("nobody", |user| user.to_str().unwrap());
        format!("{uri} for {legacy}")
    };
    tokio::spawn(async move { axum::serve(service, axum::Router::new().fallback(echo)).await });
    let route = |name: &str, more: &str| {
        format!(
            "kind: route\nname: {name}\npath: /{name}\nupstream: {upstream}\nservice: orders\naccept: [api_key, basic, jwt]\nrequire: {{authenticated: true}}\n{more}"
        )
    };
    durward.apply(&format!("{}---\n{}", route("orders", ""), route("links", "api_key_in_url: true\n")));
    durward
}

async fn asked(request: RequestBuilder) -> (StatusCode, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

/// KEY-001, KEY-003, KEY-006: a key is its client's, a typo is none, one in a URL is for routes that take it there and goes no further.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_is_good_until_it_is_revoked_and_then_nowhere() {
    let durward = open().await;
    let client = durward.client();
    let made = durward.command(&["api-keys", "issue", PROGRAM, "--for", "orders", "--note", "the till"]);
    let key = made["key"].as_str().unwrap().to_owned();
    let orders = |field: &str, value: &str| client.get(durward.at_gateway("/orders")).header(field, value);
    assert_eq!(asked(orders("x-api-key", &key)).await.0, StatusCode::OK);
    assert_eq!(asked(orders("authorization", &format!("ApiKey {key}"))).await.0, StatusCode::OK);

    let link = client.get(durward.at_gateway(&format!("/links?a=1&api_key={key}"))).header("x-legacy-user", "root");
    let answer: Response = link.send().await.unwrap();
    assert_eq!((answer.status(), answer.text().await.unwrap().as_str()), (StatusCode::OK, "/links?a=1 for nobody"));
    let in_url = client.get(durward.at_gateway(&format!("/orders?api_key={key}")));
    assert_eq!(asked(in_url).await.0, StatusCode::UNAUTHORIZED, "this route takes none there");

    let typo = format!("{}{}", &key[..key.len() - 1], if key.ends_with('0') { "1" } else { "0" });
    assert_eq!(asked(orders("x-api-key", &typo)).await.0, StatusCode::UNAUTHORIZED);
    let two = orders("x-api-key", &key).basic_auth(PROGRAM, Some(PROGRAM_SECRET));
    assert_eq!(asked(two).await, (StatusCode::BAD_REQUEST, "two_credentials".to_owned()));

    durward.command(&["api-keys", "revoke", made["id"].as_str().unwrap()]);
    let dead = async || asked(orders("x-api-key", &key)).await.0 == StatusCode::UNAUTHORIZED;
    within(PROMPT, "the key is dead at the gateway", dead).await;
    assert!(!durward.log().contains(&key), "a key is in the log");
}

/// LOGIN-001, KEY-004: a name and a password, of a program and of a person, and what is cached of it ends with the password.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_good_by_basic_until_it_is_changed() {
    let durward = open().await;
    let client = durward.client();
    let orders = |name: &str, password: &str| client.get(durward.at_gateway("/orders")).basic_auth(name, Some(password));
    assert_eq!(asked(orders(PROGRAM, PROGRAM_SECRET)).await.0, StatusCode::OK);
    let refused = orders(PROGRAM, "wrong").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let challenges: Vec<_> = refused.headers().get_all("www-authenticate").iter().map(|value| value.to_str().unwrap().to_owned()).collect();
    assert!(challenges.iter().any(|challenge| challenge.starts_with("Basic realm=")), "{challenges:?}");

    assert_eq!(asked(orders(ALICE, PASSWORD)).await.0, StatusCode::OK);
    // A browser sends a password by itself, whoever made it send the request.
    let planted = client.post(durward.at_gateway("/orders")).basic_auth(ALICE, Some(PASSWORD)).header("sec-fetch-site", "cross-site");
    assert_eq!(asked(planted).await, (StatusCode::FORBIDDEN, "credential_cross_site".to_owned()));
    let chosen = durward.directory().join("chosen");
    std::fs::write(&chosen, "a quite different passphrase").unwrap();
    durward.command(&["people", "set-password", ALICE, "--password-file", chosen.to_str().unwrap()]);
    let dead = async || asked(orders(ALICE, PASSWORD)).await.0 == StatusCode::UNAUTHORIZED;
    within(PROMPT, "the old password is dead at the gateway", dead).await;
    assert_eq!(asked(orders(ALICE, "a quite different passphrase")).await.0, StatusCode::OK);
}
