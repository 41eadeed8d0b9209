//! Tokens that a partner's issuer makes, by an outside library, as a way in at the gateway.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use axum::Router;
use durward_base::base64url;
use durward_testsite::Site;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::fixture::{Durward, PROGRAM, PROGRAM_SECRET, PROMPT, RESOURCES, SOON, Turn, configure, free_port, installed, script, within};

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// A realm that trusts three issuers: one whose keys the site publishes, one with a shared secret, one whose keys nobody can read.
fn issuers(site: &Site, disabled: bool) -> String {
    let issuer = |name: &str, more: String| {
        format!(
            "kind: trusted_issuer\nname: {name}\nissuer: https://{name}.example\n{more}\nroles_claim: groups\nroles: {{buyers: customer}}\n\
             scopes: [\"orders:read\"]\ndisabled: {disabled}\naccess_tokens: {{audiences: {{\"https://orders.shop.example\": orders}}}}\n---\n"
        )
    };
    [
        issuer("partner", format!("jwks_uri: {}\nalgorithms: [ES256, RS256]", site.url("/keys"))),
        issuer("legacy", "shared_secret: legacy\nalgorithms: [HS512]".to_owned()),
        issuer("away", format!("jwks_uri: {}\nalgorithms: [ES256]", site.url("/nothing"))),
    ]
    .concat()
}

fn partner() -> Value {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let claims = json!({"iss": "https://partner.example", "sub": "dora", "aud": "https://orders.shop.example", "iat": now, "exp": now + 600,
        "jti": "one", "groups": ["buyers"], "scope": "openid orders:read"});
    let mut command = Command::new(installed("python/bin/python"));
    let mut process = command.arg(script("partner.py")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    write!(process.stdin.take().unwrap(), "{}", json!({"claims": claims, "secret": SECRET})).unwrap();
    serde_json::from_slice(&process.wait_with_output().unwrap().stdout).unwrap()
}

/// A service that says what it was shown.
async fn upstream() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shown = |headers: http::HeaderMap| async move { headers["authorization"].to_str().unwrap().to_owned() };
    tokio::spawn(axum::serve(listener, Router::new().fallback(shown)).into_future());
    address
}

fn claims(bearer: &str) -> Value {
    let payload = bearer.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64url::decode(payload).unwrap()).unwrap()
}

async fn open(site: &Site) -> Durward {
    let directory = tempfile::tempdir().unwrap();
    configure(directory.path(), free_port());
    let (roots, secret) = (directory.path().join("roots.pem"), directory.path().join("legacy.secret"));
    fs::write(&roots, site.roots()).unwrap();
    fs::write(&secret, format!("{SECRET}\n")).unwrap();
    let (roots, secret) = (roots.display(), secret.display());
    let further = format!("outbound: {{trusted_roots: {roots}, allow_loopback: true}}\nshared_secrets: {{legacy: \"file:{secret}\"}}\n");
    let file = directory.path().join("durward.yaml");
    fs::write(&file, fs::read_to_string(&file).unwrap() + &further).unwrap();
    let durward = Durward::over(directory, Turn::shared().await);
    durward.apply(RESOURCES);
    let route = format!(
        "kind: route\nname: orders\npath: /orders\nupstream: http://{}\nservice: orders\naccept: [jwt]\nrequire: {{roles: [customer]}}\n---\n\
         kind: client\nname: {PROGRAM}\nauthentication: client_secret_basic\nsecrets: [\"${{PROGRAM_SECRET}}\"]\n\
         grants: [client_credentials, \"urn:ietf:params:oauth:grant-type:token-exchange\"]\nservices: [orders]\nscopes: [\"orders:read\"]\nruns: orders\n",
        upstream().await
    );
    durward.apply(&(issuers(site, false) + &route));
    durward
}

/// JOSE-003, JOSE-004, JOSE-008, JOSE-012, JOSE-014, JOSE-031, JOSE-032, JOSE-043: nothing but a partner's own token is one.
#[tokio::test(flavor = "multi_thread")]
async fn a_partners_token_is_a_way_in_until_the_partner_is_trusted_no_more() {
    let (site, made) = (Site::open().await, partner());
    site.answers("/keys", http::Response::new(made["jwks"].to_string()));
    let durward = open(&site).await;
    let client = durward.client();
    let orders = async |token: &str| client.get(durward.at_gateway("/orders")).bearer_auth(token).send().await.unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();

    let mut identity = String::new();
    let good: Vec<_> = made["good"].as_array().unwrap().iter().map(|token| token.as_str().unwrap().to_owned()).collect();
    for (token, who, issuer, key) in [
        (&text("shared"), "legacy|dora", "https://legacy.example", "shared_secret"),
        (&good[1], "partner|dora", "https://partner.example", "rsa"),
        (&good[0], "partner|dora", "https://partner.example", "ec"),
    ] {
        let answer = orders(token).await;
        assert_eq!(answer.status(), StatusCode::OK, "{}", durward.log());
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        identity = answer.text().await.unwrap().strip_prefix("Bearer ").unwrap().to_owned();
        assert!(!identity.contains(token), "the partner's token goes no further");
        let said = claims(&identity);
        assert_eq!((&said["sub"], &said["kind"], &said["roles"]), (&json!(who), &json!("user"), &json!(["customer"])));
        assert_eq!((&said["scope"], &said["aud"]), (&json!("orders:read"), &json!("orders")));
        let explained = async || {
            let text = durward.command(&["explain", &id]).to_string();
            text.contains(issuer) && text.contains(&format!("\"{key}\""))
        };
        within(SOON, "explain names the issuer and the key", explained).await;
    }
    let keys = site.seen().iter().filter(|request| request.uri().path() == "/keys").count();
    assert_eq!(keys, 1, "read once");

    // What the service is shown, it may exchange as it may any other.
    let form = [("grant_type", EXCHANGE), ("subject_token", &identity), ("resource", "orders")];
    let kind = ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt");
    let exchanged = client.post(durward.at("/realms/main/oauth2/token")).basic_auth(PROGRAM, Some(PROGRAM_SECRET));
    let exchanged = exchanged.form(&form.into_iter().chain([kind]).collect::<Vec<_>>()).send().await.unwrap();
    let exchanged: Value = serde_json::from_slice(&exchanged.bytes().await.unwrap()).unwrap();
    assert_eq!(claims(exchanged["access_token"].as_str().unwrap_or_else(|| panic!("{exchanged}")))["sub"], "partner|dora");

    for (case, token) in made["bad"].as_object().unwrap() {
        assert_eq!(orders(token.as_str().unwrap()).await.status(), StatusCode::UNAUTHORIZED, "{case}");
    }
    assert_eq!(orders(&text("away")).await.status(), StatusCode::SERVICE_UNAVAILABLE, "what cannot be verified is never called invalid");
    for own in ["/realms/main/oauth2/userinfo", "/admin/v1/clients?realm=main"] {
        let answer = client.get(durward.at(own)).bearer_auth(&good[0]).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{own}");
    }

    durward.apply(&issuers(&site, true));
    for token in [&good[0], &good[1], &text("shared")] {
        let dead = async || orders(token).await.status() == StatusCode::UNAUTHORIZED;
        within(PROMPT, "the issuer's tokens are dead", dead).await;
    }
    assert!(!durward.log().contains(&good[0]) && !durward.log().contains(SECRET));
}
