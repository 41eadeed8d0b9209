//! A person with a browser at the gateway: Chromium, unpatched.

use std::fs;
use std::process::Command;

use axum::Router;
use tokio::net::TcpListener;

use crate::fixture::{ALICE, Durward, PASSWORD, RESOURCES, Turn, configure, free_port, installed, script};

const SECRET: &str = "Vb7xQ2mLs9TzKc4WnRf8YhJd3PgEa6uX";

#[tokio::test]
async fn a_person_logs_in_at_the_gateway_with_a_browser_and_out_again() {
    let directory = tempfile::tempdir().unwrap();
    let (authority, gateway) = (free_port(), free_port());
    configure(directory.path(), authority);
    let (file, secret) = (directory.path().join("durward.yaml"), directory.path().join("gateway.secret"));
    fs::write(&secret, SECRET).unwrap();
    let settings = fs::read_to_string(&file).unwrap().replace("gateway: 127.0.0.1:0", &format!("gateway: 127.0.0.1:{gateway}"));
    let session = format!("gateway:\n  sessions:\n    - {{client: shop-gateway, secret: \"file:{}\"}}\n", secret.display());
    fs::write(&file, settings + &session).unwrap();
    let durward = Durward::over(directory, Turn::shared().await);
    durward.apply(RESOURCES);
    let upstream = upstream().await;
    durward.apply(&format!(
        r#"
kind: client
name: shop-gateway
trust: first-party
authentication: client_secret_basic
secrets: ["file:{secret}"]
redirect_uris: ["https://localhost:{gateway}/.durward/callback"]
post_logout_redirect_uris: ["https://localhost:{gateway}/"]
grants: [authorization_code, refresh_token]
scopes: [openid]
services: [orders]
---
kind: route
name: app
path: /app
upstream: http://{upstream}
service: orders
accept: [browser_session]
require: {{roles: [customer]}}
"#,
        secret = secret.display()
    ));
    installed("node_modules/playwright-core");
    let mut command = Command::new("node");
    command
        .arg(script("session.mjs"))
        .env("GATEWAY", format!("https://localhost:{gateway}"))
        .env("ISSUER", durward.issuer())
        .env("CLIENTS", installed(""))
        .envs([("PERSON", ALICE), ("PASSWORD", PASSWORD)]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

/// A service that shows a page, with what it was told of cookies.
async fn upstream() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(|headers: axum::http::HeaderMap| async move {
        let cookies = headers.get("cookie").map_or("none", |value| value.to_str().unwrap()).to_owned();
        axum::response::Html(format!("<title>The shop</title><p id=cookies>{cookies}</p>"))
    });
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}
