//! What is kept of calls: an event each, in a log that proves itself, with no secret in it, in the store, or on standard error.

use std::fs;
use std::path::Path;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{ALICE, Durward, PASSWORD, PROGRAM_SECRET, SOON, Service, granted, within};

#[tokio::test]
async fn every_call_can_be_explained_by_its_id_and_the_log_proves_itself() {
    let durward = Durward::start().await;
    let (application, client) = (durward.application(), durward.client());
    let id = |answer: Response| answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let get = async |url: String| id(client.get(url).send().await.unwrap());
    let calls = [
        get(application.at(".well-known/openid-configuration")).await,
        get(application.at("oauth2/userinfo")).await,
        get(durward.at("/admin/v1/people")).await,
        get(durward.at("/nowhere")).await,
        get(durward.at_gateway("/nowhere")).await,
        get(durward.at_nodes("/feed/v1")).await,
        id(application.program_token().await.unwrap()),
        id(application.exchange("no code").await.unwrap()),
        id(application.submit(&application.login_page().await, ALICE, "a wrong password").await),
    ];
    for call in &calls {
        let explained = async || {
            let explained = durward.try_command(&["explain", call]);
            let hops = serde_json::from_slice::<Value>(&explained.stdout).unwrap_or_default();
            hops["hops"].as_array().is_some_and(|hops| hops.len() == 1 && hops[0]["id"] == json!(call))
        };
        within(SOON, "the call is recorded", explained).await;
    }
    durward.command(&["audit", "verify"]);
}

#[tokio::test]
async fn no_secret_is_written_anywhere() {
    let mut durward = Durward::start().await;
    let application = durward.application();
    let tokens = application.log_in(ALICE, PASSWORD).await;
    let program = granted(application.program_token().await.unwrap()).await;
    let code = durward.application().code(ALICE, PASSWORD).await;
    application.refresh(&tokens.refresh_token).await.unwrap();
    application.exchange("a wrong code that nobody issued").await.unwrap();
    let log = durward.stop();
    let canaries = [PASSWORD, PROGRAM_SECRET, &tokens.access_token, &tokens.refresh_token, &program.access_token, &code];
    let mut files = Vec::new();
    files_below(&durward.data(), &mut files);
    for canary in canaries {
        assert!(!log.contains(canary), "a secret is in the log");
        for (path, bytes) in &files {
            assert!(!bytes.windows(canary.len()).any(|part| part == canary.as_bytes()), "a secret is in {path}");
        }
    }
}

fn files_below(directory: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, files);
        } else if path.is_file() {
            files.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
}

#[tokio::test]
async fn probes_and_metrics_answer_in_plain_http() {
    let durward = Durward::start().await;
    let client = durward.client();
    let get = async |path: &str| client.get(durward.at_operations(path)).send().await.unwrap();
    assert_eq!(get("/livez").await.status(), StatusCode::OK);
    assert_eq!(get("/readyz").await.status(), StatusCode::OK);
    assert_eq!(durward.application().userinfo("no token").await, StatusCode::UNAUTHORIZED);
    let metrics = get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("endpoint=\"/realms/{realm}/oauth2/userinfo\",status=\"401\"} 1"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"));
}

#[tokio::test]
async fn java_reads_the_exported_truststore() {
    let durward = Durward::start().await;
    let (file, password) = (durward.directory().join("trust.p12"), durward.directory().join("password"));
    fs::write(&password, "truststore").unwrap();
    let [file, password] = [&file, &password].map(|path| path.to_str().unwrap());
    durward.command(&["ca", "export", "--format", "p12", "--password-file", password, "-f", file]);
    let mut keytool = std::process::Command::new("keytool");
    let listed = keytool.args(["-list", "-storetype", "PKCS12", "-storepass", "truststore", "-keystore", file]).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("trustedCertEntry"), "{listed}");
}

/// Asked at once, before the service has handed in what it saw.
#[tokio::test]
async fn a_request_of_just_now_is_explained_with_all_its_hops() {
    let durward = Durward::start().await;
    let service = Service::start(&durward, None);
    let token = durward.application().log_in(ALICE, PASSWORD).await.access_token;
    let client = durward.client();
    let call = async || client.get(durward.at_gateway("/stock/lamp")).bearer_auth(&token).send().await.unwrap();
    within(SOON, "the route is served", async || call().await.status() == StatusCode::OK).await;
    for _ in 0..3 {
        let answer = call().await;
        let explained = durward.command(&["explain", answer.headers()["x-request-id"].to_str().unwrap()]);
        let [entrance] = explained["hops"].as_array().unwrap().as_slice() else { panic!("{explained}") };
        assert_eq!(entrance["next"][0]["node"], "service/inventory", "{explained}");
    }
    service.stop();
}
