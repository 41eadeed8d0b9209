//! ENDPOINTS.txt: every endpoint there is, and that each refuses whom it must.

use std::fs;
use std::path::{Path, PathBuf};

use durward_app::configuration::Settings;
use durward_app::server::Server;
use durward_node::machine;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

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

/// What a caller shows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shown {
    Nothing,
    TokenNobodySigned,
    WrongSecret,
    /// A person's token, for another audience than any endpoint's but those of a bearer.
    PersonsToken,
}

#[tokio::test]
async fn every_endpoint_answers_whoever_it_does_not_know_with_the_very_status_and_error_of_its_class() {
    let durward = Durward::start().await;
    let person = durward.application().log_in(crate::fixture::ALICE, crate::fixture::PASSWORD).await.access_token;
    let mut otherwise = Vec::new();
    for row in rows() {
        for shown in [Shown::Nothing, Shown::TokenNobodySigned, Shown::WrongSecret, Shown::PersonsToken] {
            if row.access == "Bearer" && shown == Shown::PersonsToken {
                continue;
            }
            // No cookie of one call is there in the next.
            let request = request(&durward, &durward.client(), &row);
            let request = match shown {
                Shown::Nothing => request,
                Shown::TokenNobodySigned => request.bearer_auth("eyJhbGciOiJub25lIn0.e30."),
                Shown::WrongSecret => request.basic_auth("program", Some("wrong")),
                Shown::PersonsToken => request.bearer_auth(&person),
            };
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
            let error = problem["error"].as_str().or(problem["code"].as_str()).unwrap_or_default();
            let expected = expected(&row, shown);
            if (status, error) != expected {
                otherwise.push(format!("{} {} with {shown:?}: {:?}, expected {expected:?}", row.method, row.path, (status, error)));
            }
        }
    }
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
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
        "Bearer" | "Public" => request,
        _ if row.method == Method::GET => request,
        _ => request.json(&serde_json::json!({})),
    }
}

/// The status, and the error of those that are not pages: of the class, and where a class has several, of the endpoint.
fn expected(row: &Row, shown: Shown) -> (u16, &'static str) {
    match (row.access.as_str(), shown) {
        ("Public", _) => public(row),
        ("Operations", _) => (200, ""),
        ("Browser", _) => (page_for_a_stranger(row), ""),
        ("Client" | "ConfidentialClient", _) => (401, "invalid_client"),
        // Asked by services, as the gateway is: its words.
        ("Bearer", Shown::Nothing) if row.path.contains("/access/v1/") => (401, "no_credential"),
        ("Bearer", Shown::TokenNobodySigned) if row.path.contains("/access/v1/") => (401, "not_compact"),
        ("Bearer", Shown::WrongSecret) if row.path.contains("/access/v1/") => (401, "credential_not_accepted"),
        ("Bearer", _) => (401, "invalid_token"),
        ("Node" | "Admin(Auditor)" | "Admin(Operator)" | "Admin(Admin)", Shown::Nothing) => (401, "no_credential"),
        ("Node" | "Admin(Auditor)" | "Admin(Operator)" | "Admin(Admin)", Shown::TokenNobodySigned) => (401, "not_compact"),
        ("Node" | "Admin(Auditor)" | "Admin(Operator)" | "Admin(Admin)", Shown::WrongSecret) => (401, "credential_not_accepted"),
        ("Node" | "Admin(Auditor)" | "Admin(Operator)" | "Admin(Admin)", Shown::PersonsToken) => (401, "audience_mismatch"),
        (other, _) => panic!("the class {other} is new here: say what it answers"),
    }
}

/// Documents are there for everybody, and what is named `none` is not. A script of no application's origin is told so.
fn public(row: &Row) -> (u16, &'static str) {
    match row.method.as_str() {
        "OPTIONS" => (403, ""),
        _ if row.path.starts_with("/gateways/none") => (404, "gateway_unknown"),
        _ if row.path.starts_with("/assets/") => (404, "not_found"),
        _ => (200, ""),
    }
}

/// What somebody who is not logged in, and sends a form that no page gave them, gets of each page.
fn page_for_a_stranger(row: &Row) -> u16 {
    match (row.method.as_str(), row.path.strip_prefix("/realms/main").unwrap()) {
        // Nobody is logged in, so there is nobody to log out.
        ("GET", "/oauth2/logout") => 200,
        ("GET", path) if path.starts_with("/account") || path == "/device" => 303,
        _ => 400,
    }
}
