//! A person with a browser at the gateway: Chromium, unpatched.

use std::fs;
use std::path::Path;
use std::process::Command;

use axum::Router;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
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
    walk(&durward, &format!("https://localhost:{gateway}"), (ALICE, PASSWORD), r#"["customer"]"#).await;
}

/// Nothing is configured: one command, and a second one for a service beside it.
#[tokio::test]
async fn protect_puts_a_service_behind_a_login_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let (authority, gateway) = (free_port(), free_port());
    configure(directory.path(), authority);
    let file = directory.path().join("durward.yaml");
    let settings = fs::read_to_string(&file).unwrap().replace("gateway: 127.0.0.1:0", &format!("gateway: 127.0.0.1:{gateway}"));
    fs::write(&file, settings).unwrap();
    let durward = Durward::over(directory, Turn::shared().await);
    let upstream = format!("http://{}", upstream().await);
    let made = durward.command(&["protect", &upstream, "--at", "/other", "--browser"]);
    let url = format!("https://localhost:{gateway}");
    assert_eq!(made["open"], format!("{url}/other"));
    let made = durward.command(&["protect", &upstream, "--at", "/app", "--browser"]);
    let password = fs::read_to_string(made["password_file"].as_str().unwrap()).unwrap();
    walk(&durward, &url, ("app-demo", password.trim()), "[]").await;

    let again = durward.command(&["protect", &upstream, "--at", "/app", "--browser"]);
    assert_eq!(again["resources"], made["resources"], "done again, it changes nothing");
    let file = made["password_file"].as_str().unwrap();
    let token = durward.try_command(&["token", "--client", "app-cli", "--person", "app-demo", "--password-file", file]);
    let token: serde_json::Value = serde_json::from_slice(&token.stdout).unwrap();
    let shown = durward.client().get(format!("{url}/app")).bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(shown.status(), reqwest::StatusCode::OK, "a program comes in as ever");
}

/// The walk of a person in Chromium.
async fn walk(durward: &Durward, gateway: &str, (person, password): (&str, &str), roles: &str) {
    installed("node_modules/playwright-core");
    let mut command = Command::new("node");
    command.arg(script("session.mjs")).env("ISSUER", durward.issuer()).env("CLIENTS", installed("")).envs([
        ("GATEWAY", gateway),
        ("PERSON", person),
        ("PASSWORD", password),
        ("ROLES", roles),
    ]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

/// Another provider, which no one here wrote: discovery, code with PKCE and nonce, `iss`, ID tokens, logouts from both sides.
#[tokio::test]
async fn a_person_who_logs_in_at_another_provider_is_its_issuers_at_the_gateway() {
    let directory = tempfile::tempdir().unwrap();
    let (authority, gateway, provider) = (free_port(), free_port(), free_port());
    configure(directory.path(), authority);
    let at = |name: &str| directory.path().join(name).display().to_string();
    certify(directory.path());
    fs::write(at("secret"), SECRET).unwrap();
    let file = directory.path().join("durward.yaml");
    let settings = fs::read_to_string(&file).unwrap().replace("gateway: 127.0.0.1:0", &format!("gateway: 127.0.0.1:{gateway}"));
    let (issuer, secret, roots) = (format!("https://localhost:{provider}"), at("secret"), at("roots.pem"));
    let further = format!(
        "gateway:\n  sessions:\n    - {{issuer: \"{issuer}\", client: shop-gateway, secret: \"file:{secret}\", service: orders}}\n\
         outbound: {{trusted_roots: {roots}, allow_loopback: true}}\n"
    );
    fs::write(&file, settings + &further).unwrap();
    let (chain, key) = (at("chain.pem"), at("key.pem"));
    let durward = Durward::over(directory, Turn::shared().await);
    durward.apply(RESOURCES);
    durward.apply(&format!(
        "kind: trusted_issuer\nname: partner\nissuer: {issuer}\njwks_uri: {issuer}/jwks\nalgorithms: [ES256]\n\
         roles_claim: groups\nroles: {{buyers: customer}}\n---\n\
         kind: route\nname: app\npath: /app/{{rest...}}\nupstream: http://{}\nservice: orders\naccept: [browser_session]\n\
         require: {{roles: [customer]}}\n",
        upstream().await
    ));
    installed("node_modules/oidc-provider");
    let mut command = Command::new("node");
    command
        .arg(script("provider.mjs"))
        .env("GATEWAY", format!("https://localhost:{gateway}"))
        .env("PORT", provider.to_string())
        .env("CLIENTS", installed(""))
        .env("NODE_EXTRA_CA_CERTS", durward.ca())
        .envs([("CERTIFICATE", &chain), ("KEY", &key), ("SECRET", &SECRET.to_owned())]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&said), durward.log());
}

/// A certificate of the provider's, under a root that the authority is told to trust.
fn certify(directory: &Path) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let chain = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &root).unwrap();
    for (name, text) in [("roots.pem", root.pem()), ("chain.pem", chain.pem()), ("key.pem", key.serialize_pem())] {
        fs::write(directory.join(name), text).unwrap();
    }
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
