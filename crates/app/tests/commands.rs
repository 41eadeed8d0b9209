//! The operator's verbs against a running authority, over its socket and over TLS with a login: each does what it says.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use reqwest::StatusCode;
use serde_json::Value;

use crate::fixture::{ALICE, Application, CALLER, CALLER_SECRET, Durward, PASSWORD, PROMPT, Service, durward, within};

/// The ids that an access token carries: its own, its family's, its login's.
fn ids(token: &str) -> [String; 3] {
    use base64::Engine as _;
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    ["jti", "sid", "ses"].map(|name| claims[name].as_str().unwrap().to_owned())
}

async fn refused_within_a_second(application: &Application, token: &str, what: &str) {
    within(PROMPT, what, async || application.userinfo(token).await == StatusCode::UNAUTHORIZED).await;
}

#[tokio::test]
async fn what_is_revoked_by_hand_is_dead_within_a_second_and_nothing_else_is() {
    let durward = Durward::start_alone().await;
    let application = durward.application();
    let other = durward.application().log_in(ALICE, PASSWORD).await;
    for (number, what) in ["token", "family", "session"].into_iter().enumerate() {
        let tokens = durward.application().log_in(ALICE, PASSWORD).await;
        durward.command(&["revoke", what, &ids(&tokens.access_token)[number]]);
        refused_within_a_second(&application, &tokens.access_token, what).await;
        // A token alone leaves its family alive; a family and a login take their refresh token with them.
        let refreshed = application.refresh(&tokens.refresh_token).await.unwrap().status();
        assert_eq!(refreshed == StatusCode::OK, what == "token", "{what}: {refreshed}");
    }
    assert_eq!(application.userinfo(&other.access_token).await, StatusCode::OK, "another login is not touched");
    for (what, name) in [("person", ALICE), ("client", "web")] {
        let tokens = durward.application().log_in(ALICE, PASSWORD).await;
        durward.command(&["revoke", what, name]);
        refused_within_a_second(&application, &tokens.access_token, what).await;
    }
    for id in [&["revoke", "session", "none"][..], &["revoke", "person", "nobody"], &["revoke", "key", "none"]] {
        assert!(!durward.try_command(id).status.success(), "{id:?}");
    }
    let tokens = durward.application().log_in(ALICE, PASSWORD).await;
    let keys = durward.command(&["keys", "list"]);
    let signing = |key: &&Value| key["state"] == "active" && key["issuer"].as_str().unwrap().contains("/realms/");
    for key in keys.as_array().unwrap().iter().filter(signing) {
        durward.command(&["revoke", "key", key["kid"].as_str().unwrap()]);
    }
    refused_within_a_second(&application, &tokens.access_token, "key").await;
}

#[tokio::test]
async fn a_revocation_reaches_a_service_of_its_own_process_within_a_second() {
    let durward = Durward::start_alone().await;
    let service = Service::start(&durward, None);
    let client = durward.client();
    let at_service = async |token: &str| client.get(service.at("/stock/lamp")).bearer_auth(token).send().await.unwrap().status();
    let (password, secret) = (durward.directory().join("password"), durward.directory().join("secret"));
    fs::write(&password, PASSWORD).unwrap();
    fs::write(&secret, CALLER_SECRET).unwrap();
    let token = |arguments: &[&str]| {
        durward.command(&[&["token", "--service", "inventory"], arguments].concat())["access_token"].as_str().unwrap().to_owned()
    };
    let person = || token(&["--client", "web", "--person", ALICE, "--password-file", password.to_str().unwrap()]);
    let program = token(&["--client", CALLER, "--secret-file", secret.to_str().unwrap()]);
    let (first, second) = (person(), person());
    for token in [&first, &second, &program] {
        assert_eq!(at_service(token).await, StatusCode::OK);
    }
    durward.command(&["revoke", "session", &ids(&first)[2]]);
    within(PROMPT, "the login's token is refused", async || at_service(&first).await == StatusCode::UNAUTHORIZED).await;
    assert_eq!(at_service(&second).await, StatusCode::OK);
    durward.command(&["revoke", "client", CALLER]);
    within(PROMPT, "the program's token is refused", async || at_service(&program).await == StatusCode::UNAUTHORIZED).await;
    durward.command(&["people", "disable", ALICE]);
    within(PROMPT, "the disabled person is refused", async || at_service(&second).await == StatusCode::UNAUTHORIZED).await;
}

/// The command line on another machine: its own home, and no data directory.
fn elsewhere(durward_: &Durward, arguments: &[&str]) -> Command {
    let mut command = durward();
    command.args(arguments).args(["--server", &durward_.at("")]).arg("--ca").arg(durward_.ca());
    command.env("XDG_CONFIG_HOME", durward_.directory().join("elsewhere"));
    command
}

fn run(durward: &Durward, arguments: &[&str]) -> Output {
    elsewhere(durward, &[arguments, &["--output", "json"]].concat()).output().unwrap()
}

/// `durward login`, and a browser that goes where it is told.
async fn log_in(durward: &Durward, name: &str) {
    let mut login = elsewhere(durward, &["login"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(login.stderr.take().unwrap()).lines();
    let url = lines.by_ref().find_map(|line| line.unwrap().trim().strip_prefix("https://").map(|url| format!("https://{url}"))).unwrap();
    let browser = durward.application();
    let callback = browser.walk(url.parse().unwrap(), name, PASSWORD).await;
    assert!(reqwest::get(callback).await.unwrap().status().is_success());
    assert!(login.wait().unwrap().success());
}

#[tokio::test]
async fn every_verb_works_from_elsewhere_with_a_login() {
    let durward = Durward::start().await;
    durward.apply("kind: person\nname: olga\nroles: [durward-admin]\npassword: ${ALICE_PASSWORD}\n");
    let refused = run(&durward, &["people", "list"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("durward login"), "without a login: {refused:?}");
    log_in(&durward, "olga").await;

    let file = durward.directory().join("role.yaml");
    fs::write(&file, "kind: role\nname: clerk\n").unwrap();
    let [file, exported] = [file, durward.directory().join("exported")].map(|path| path.to_str().unwrap().to_owned());
    let backup = durward.directory().join("from-elsewhere").to_str().unwrap().to_owned();
    let tokens = durward.application().log_in(ALICE, PASSWORD).await;
    let [token, family, session] = ids(&tokens.access_token);
    let request = durward.client().get(durward.at("/nowhere")).send().await.unwrap();
    let request = request.headers()["x-request-id"].to_str().unwrap();
    for arguments in [
        &["apply", "-f", &file][..],
        &["diff", "-f", &file],
        &["export", "-f", &exported],
        &["people", "list"],
        &["people", "sessions", ALICE],
        &["sessions", "list", ALICE],
        &["clients", "secret", "list", "program"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["audit", "list"],
        &["audit", "verify"],
        &["explain", request],
        &["revoke", "token", &token],
        &["revoke", "family", &family],
        &["revoke", "session", &session],
        &["sessions", "end", "--person", ALICE],
        &["people", "disable", ALICE],
        &["people", "enable", ALICE],
        &["backup", &backup],
        &["doctor"],
    ] {
        let done = run(&durward, arguments);
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    // The login's own person takes their role away: the login is no administrator's any more.
    durward.apply("kind: person\nname: olga\nroles: []\npassword: ${ALICE_PASSWORD}\n");
    assert!(!run(&durward, &["people", "list"]).status.success());
}
