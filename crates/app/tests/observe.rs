//! `durward observe report`: who would break if a route that only observes were to enforce, and what each would need.

use axum::Router;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fixture::{ALICE, Durward, PASSWORD, SOON, granted, within};

fn routes(upstream: &str, mode: &str) -> String {
    let route = |name: &str, require: &str| {
        format!("kind: route\nname: {name}\npath: /{name}\nupstream: {upstream}\nservice: orders\nmode: {mode}\nrequire: {require}\n")
    };
    format!(
        "kind: role\nname: clerk\n---\n{}---\n{}",
        route("restock", "{roles: [clerk]}"),
        route("reports", "{scopes: [\"orders:read\"]}")
    )
}

#[tokio::test]
async fn the_report_names_who_would_break_and_what_each_would_need() {
    let durward = Durward::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(|| async { "yours" })).into_future());
    durward.apply(&routes(&upstream, "observe"));
    let alice = durward.application().log_in(ALICE, PASSWORD).await.access_token;
    let program = granted(durward.application().program_token().await.unwrap()).await.access_token;
    let client = durward.client();
    let asked = async |path: &str, token: &str| {
        let request = client.get(durward.at_gateway(path));
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        request.send().await.unwrap().status()
    };
    within(SOON, "the routes are served", async || asked("/reports", "").await == StatusCode::OK).await;
    let mine = alice.split('.').nth(1).unwrap();
    let mine: Value = serde_json::from_slice(&durward_base::base64url::decode(mine).unwrap()).unwrap();
    for (path, token) in [("/restock", &alice), ("/restock", &alice), ("/restock", &program), ("/reports", &alice), ("/reports", &program)]
    {
        assert_eq!(asked(path, token).await, StatusCode::OK, "{path}: it observes");
    }

    let report = || durward.command(&["observe", "report", "--since", "1h"]);
    let line = |route: &str, caller: &str| {
        let lines = report();
        lines.as_array().unwrap().iter().find(|line| line["route"] == route && line["caller"] == caller).cloned().unwrap_or_default()
    };
    let (alice_is, program_is) = (format!("user {}", mine["sub"].as_str().unwrap()), "service orders".to_owned());
    within(SOON, "all is on record", async || line("reports", &program_is) != Value::Null).await;
    let shown = line("restock", &alice_is);
    assert_eq!((&shown["reason"], &shown["requests"]), (&json!("role_missing"), &json!(2)));
    assert!(shown["needs"].as_str().unwrap().contains("clerk"), "{shown}");
    assert_eq!(line("restock", &program_is)["reason"], "role_missing");
    assert_eq!(line("reports", &program_is)["reason"], "scope_missing");
    assert_eq!(line("reports", &alice_is), Value::Null, "who may pass is none of it");
    let nobody = line("reports", "unknown at 127.0.0.1");
    assert_eq!(nobody["reason"], "no_credential");
    let of_one = durward.command(&["observe", "report", "--since", "1h", "--route", "restock"]);
    assert!(of_one.as_array().unwrap().iter().all(|line| line["route"] == "restock") && !of_one.as_array().unwrap().is_empty());

    // What it says is what becomes of them.
    durward.apply(&routes(&upstream, "enforce"));
    within(SOON, "it enforces", async || asked("/restock", &alice).await == StatusCode::FORBIDDEN).await;
    for (path, token, status) in
        [("/restock", &program, 403), ("/reports", &program, 403), ("/reports", &alice, 200), ("/reports", &String::new(), 401)]
    {
        assert_eq!(asked(path, token).await.as_u16(), status, "{path}");
    }
}
