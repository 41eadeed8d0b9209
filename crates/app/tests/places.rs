//! `context.country` and `context.city` by a file that mmdb_writer made, which nobody here wrote: at the gateway, and before a token is issued.

use std::fs;
use std::path::Path;
use std::process::Command;

use axum::Router;
use reqwest::StatusCode;
use tokio::net::TcpListener;

use crate::fixture::{Durward, RESOURCES, SOON, granted, installed, script, within};

const SCHEMA: &str = r#"
action "orders:read" appliesTo { principal: [Durward::User, Durward::Service, Durward::Client], resource: [Durward::Route] };
"#;
const POLICIES: &str = r#"
@id("from-bern")
permit (principal, action == Action::"orders:read", resource)
when { context has country && context.country == "CH" && context has city && context.city == "Bern" };

@id("not-to-atlantis")
forbid (principal, action == Action::"issue", resource) when { context has country && context.country == "XA" };
"#;

/// Puts a file in the place of another, as those do who publish them: written beside it, then renamed.
fn locate(file: &Path, [network, country, city]: [&str; 3]) {
    let beside = file.with_extension("new");
    let mut command = Command::new(installed("python/bin/python"));
    command.arg(script("places.py")).arg(&beside).args([network, country, city]);
    assert!(command.status().unwrap().success());
    fs::rename(beside, file).unwrap();
}

#[tokio::test]
async fn policies_know_the_country_and_the_city_of_an_address_and_follow_the_file() {
    let mut durward = Durward::start().await;
    let file = durward.directory().join("places.mmdb");
    locate(&file, ["127.0.0.0/8", "CH", "Bern"]);
    durward.stop();
    durward.configure("places: places.mmdb");
    durward.restart();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, Router::new().fallback(|| async { "yours" })).into_future());
    let resources = durward.directory().join("resources");
    fs::create_dir(&resources).unwrap();
    let route = format!(
        "---\nkind: route\nname: orders\npath: /orders\nupstream: http://{upstream}\nservice: orders\nauthorize: {{action: \"orders:read\"}}\n"
    );
    for (name, text) in [("all.yaml", format!("{RESOURCES}{route}")), ("here.cedarschema", SCHEMA.into()), ("here.cedar", POLICIES.into())]
    {
        fs::write(resources.join(name), text).unwrap();
    }
    durward.command(&["apply", "-f", resources.to_str().unwrap()]);

    let issued = async || durward.application().program_token().await.unwrap();
    let token = granted(issued().await).await.access_token;
    let client = durward.client();
    let asked = async || client.get(durward.at_gateway("/orders")).bearer_auth(&token).send().await.unwrap().status();
    within(SOON, "from Bern it is allowed", async || asked().await == StatusCode::OK).await;

    locate(&file, ["127.0.0.0/8", "XA", "Bern"]);
    within(SOON, "from elsewhere it is not", async || asked().await == StatusCode::FORBIDDEN).await;
    assert_eq!(issued().await.status(), StatusCode::BAD_REQUEST, "nothing is issued to there");

    fs::write(&file, "no places").unwrap();
    within(SOON, "what does not read is named", async || durward.log().contains("places: the file")).await;
    assert_eq!(issued().await.status(), StatusCode::BAD_REQUEST, "what was known before holds");

    locate(&file, ["10.0.0.0/8", "CH", "Bern"]);
    within(SOON, "an unknown address is nowhere", async || issued().await.status() == StatusCode::OK).await;
    assert_eq!(asked().await, StatusCode::FORBIDDEN);
}
