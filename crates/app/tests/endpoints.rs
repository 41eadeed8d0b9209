//! ENDPOINTS.txt: every endpoint there is, and that each refuses whom it must.

use std::fs;
use std::path::{Path, PathBuf};

use durward_app::configuration::Settings;
use durward_app::server::Server;
use durward_node::machine;
use reqwest::{Client, Method, RequestBuilder, StatusCode};

use crate::fixture::{Durward, Turn};

const HEADER: &str = "# METHOD path access rate event handler\n";

/// One line of the file.
struct Row {
    method: Method,
    path: String,
    access: String,
    handler: String,
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ENDPOINTS.txt")
}

fn rows() -> Vec<Row> {
    let row = |line: &str| {
        let [method, path, access, _, _, handler] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        // `none` stands for every name and id: no such thing need exist to be refused.
        let path = path.replace("{realm}", "main").replace(['{', '}'], "").replace("/name", "/none");
        Row { method: method.parse().unwrap(), path, access: access.to_owned(), handler: handler.to_owned() }
    };
    fs::read_to_string(page()).unwrap().lines().filter(|line| !line.starts_with('#')).map(row).collect()
}

#[tokio::test]
async fn the_listing_is_what_is_served() {
    let _turn = Turn::shared().await;
    let directory = tempfile::tempdir().unwrap();
    let mut settings = Settings { data: directory.path().join("data"), ..Settings::default() };
    let listen = &mut settings.listen;
    for address in [&mut listen.authority, &mut listen.gateway, &mut listen.operations, &mut listen.nodes] {
        address.set_port(0);
    }
    let server = Server::start(settings, machine::clock(), machine::rng()).await.unwrap();
    let served = format!("{HEADER}{}\n", server.endpoints().join("\n"));
    server.stop().await;
    if std::env::var_os("DURWARD_BLESS").is_some() {
        fs::write(page(), &served).unwrap();
    }
    assert_eq!(fs::read_to_string(page()).unwrap_or_default(), served, "write it anew with DURWARD_BLESS=1");
}

#[tokio::test]
async fn every_endpoint_that_needs_a_credential_refuses_to_answer_without_one_and_with_a_wrong_one() {
    let durward = Durward::start().await;
    let person = durward.application().log_in(crate::fixture::ALICE, crate::fixture::PASSWORD).await.access_token;
    let client = durward.client();
    for row in rows() {
        let refused = |request: RequestBuilder, what: &'static str| {
            let place = format!("{} {} with {what}", row.method, row.path);
            let access = row.access.clone();
            async move { assert_refusal(&place, &access, request.send().await.unwrap().status()) }
        };
        refused(request(&durward, &client, &row), "nothing").await;
        refused(request(&durward, &client, &row).bearer_auth("eyJhbGciOiJub25lIn0.e30."), "a token nobody signed").await;
        refused(request(&durward, &client, &row).basic_auth("program", Some("wrong")), "a wrong secret").await;
        if row.access != "Bearer" {
            refused(request(&durward, &client, &row).bearer_auth(&person), "a person's token").await;
        }
    }
}

fn request(durward: &Durward, client: &Client, row: &Row) -> RequestBuilder {
    let url = match row.handler.split_once("::").unwrap().0 {
        "durward_app" => durward.at_operations(&row.path),
        "durward_fleet" => durward.at_nodes(&row.path),
        _ => durward.at(&row.path),
    };
    let request = client.request(row.method.clone(), url);
    match row.access.as_str() {
        "Client" | "ConfidentialClient" => request.form(&[("grant_type", "client_credentials"), ("token", "x")]),
        "Browser" if row.method == Method::POST => request.form(&[("transaction", "x")]),
        _ if row.method == Method::GET => request,
        _ => request.json(&serde_json::json!({})),
    }
}

/// What an endpoint of a class answers to somebody it does not know.
fn assert_refusal(place: &str, access: &str, status: StatusCode) {
    let expected: &[u16] = match access {
        "Public" | "Operations" => &[200, 404],
        // A page that says what is wrong, or the way to the login page.
        "Browser" => &[200, 302, 303, 400, 401, 403],
        "Client" | "ConfidentialClient" => &[400, 401],
        "Bearer" | "Node" => &[401, 403],
        admin if admin.starts_with("Admin(") => &[401, 403],
        other => panic!("{place}: the class {other} is new here"),
    };
    assert!(expected.contains(&status.as_u16()), "{place}: {status}, expected one of {expected:?}");
    assert!(access == "Public" || access == "Operations" || access == "Browser" || !status.is_success(), "{place}: {status}");
}
