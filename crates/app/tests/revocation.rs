//! Revoked is refused within a second, at the gateway as at the authority; a disabled person likewise.

use std::sync::Arc;

use reqwest::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::fixture::{ALICE, Durward, PASSWORD, PROMPT, SOON, within};

/// A route through the gateway to a service that answers everything with 200.
async fn route(durward: &Durward) {
    let service = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = service.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = service.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 16 * 1024];
                while connection.read(&mut request).await.is_ok_and(|read| read > 0) {
                    let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                }
            });
        }
    });
    durward.apply(&format!(
        "kind: route\nname: orders\npath: /orders\nmethods: [GET]\nupstream: http://{address}\nservice: orders\nrequire: {{roles: [customer]}}\n"
    ));
}

async fn at_the_gateway(durward: &Durward, client: &reqwest::Client, token: &str) -> StatusCode {
    client.get(durward.at_gateway("/orders")).bearer_auth(token).send().await.unwrap().status()
}

#[tokio::test]
async fn a_revoked_login_and_a_disabled_person_are_refused_everywhere_within_a_second() {
    let durward = Arc::new(Durward::start_alone().await);
    route(&durward).await;
    let (application, client) = (durward.application(), durward.client());
    let first = application.log_in(ALICE, PASSWORD).await;
    let second = durward.application().log_in(ALICE, PASSWORD).await;
    within(SOON, "the route is served", async || at_the_gateway(&durward, &client, &first.access_token).await == StatusCode::OK).await;

    let form = [("client_id", "web"), ("token", first.refresh_token.as_str())];
    let revoked = client.post(application.at("oauth2/revoke")).form(&form).send().await.unwrap();
    assert_eq!(revoked.status(), StatusCode::OK);
    let refused = async || {
        at_the_gateway(&durward, &client, &first.access_token).await == StatusCode::UNAUTHORIZED
            && application.userinfo(&first.access_token).await == StatusCode::UNAUTHORIZED
    };
    within(PROMPT, "the revoked login is refused", refused).await;
    assert_eq!(at_the_gateway(&durward, &client, &second.access_token).await, StatusCode::OK, "the other login is not touched");

    durward.command(&["people", "disable", ALICE]);
    let refused = async || {
        at_the_gateway(&durward, &client, &second.access_token).await == StatusCode::UNAUTHORIZED
            && application.userinfo(&second.access_token).await == StatusCode::UNAUTHORIZED
    };
    within(PROMPT, "the disabled person is refused", refused).await;
    assert_eq!(application.refresh(&second.refresh_token).await.unwrap().status(), StatusCode::BAD_REQUEST);
    let page = durward.application();
    let answer = page.submit(&page.login_page().await, ALICE, PASSWORD).await;
    assert!(answer.headers().get("location").is_none(), "a disabled person logged in");
}
