//! A Spring Boot application that was told where the issuer is and nothing else: people log in to it, and its own endpoint takes tokens.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{World, documents};
use crate::fixture::{CALLBACK, PROGRAM_SECRET, installed};

/// The application, and where it listens.
struct Spring {
    process: Child,
    at: String,
}

impl Spring {
    fn start(world: &World) -> Self {
        let store = world.durward.directory().join("trust");
        let imported = Command::new("keytool")
            .args(["-importcert", "-noprompt", "-alias", "durward", "-storepass", "changeit", "-keystore"])
            .arg(&store)
            .arg("-file")
            .arg(world.durward.ca())
            .output()
            .unwrap();
        assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
        let mut process = Command::new("java")
            .args(["-XX:TieredStopAtLevel=1", "-Xmx192m", &format!("-Djavax.net.ssl.trustStore={}", store.display())])
            .args(["-Djavax.net.ssl.trustStorePassword=changeit", "-jar"])
            .arg(installed("spring/spring.jar"))
            .envs([("ISSUER", world.durward.issuer().as_str()), ("SECRET", PROGRAM_SECRET)])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (began, mut said) = (Instant::now(), Vec::new());
        let port = lines.find_map(|line| {
            let port = line.split_once("Tomcat started on port ").map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect());
            said.push(line);
            port
        });
        let port: String = port.unwrap_or_else(|| panic!("not started in {:?}: {}", began.elapsed(), said.join("\n")));
        // Nobody may wait for what is not read.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, at: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for Spring {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn resources() -> String {
    let redirect_uris = ["confidential", "public", "mistaken"].map(|id| format!("http://127.0.0.1/login/oauth2/code/{id}"));
    let client = |name: &str, more: Value| {
        let mut client = json!({
            "kind": "client", "name": name, "trust": "first-party", "services": ["orders"], "scopes": ["openid", "orders:read"],
            "redirect_uris": redirect_uris,
            "grants": ["authorization_code"],
        });
        client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client
    };
    let secret = json!({
        "authentication": "client_secret_basic", "secrets": ["${PROGRAM_SECRET}"], "grants": ["authorization_code", "client_credentials"],
    });
    let resources = [
        // Spring's decoder takes this type and no other.
        json!({ "kind": "service", "name": "orders", "token_type": "JWT", "scopes": [{ "name": "orders:read" }, { "name": "orders:write" }] }),
        client("spring", secret),
        client("spring-public", json!({})),
    ];
    documents(&resources)
}

#[tokio::test]
async fn spring_boot_logs_people_in_and_takes_tokens_by_the_issuers_address_alone() {
    let world = World::new().await;
    world.durward.apply(&resources());
    let spring = Spring::start(&world);
    let at = |path: &str| format!("{}{path}", spring.at);
    // Services call it: they have no cookies.
    let service = world.durward.client();
    let api = async |token: &str| service.get(at("/api")).bearer_auth(token).send().await.unwrap().status();
    for (registration, ends) in [("public", "/"), ("confidential", "/")] {
        let callback = world.visit(&at(&format!("/oauth2/authorization/{registration}"))).await;
        assert!(callback.starts_with(&at(&format!("/login/oauth2/code/{registration}"))), "{callback}");
        let back = world.browser.get(&callback).send().await.unwrap();
        assert!(back.headers()["location"].to_str().unwrap().ends_with(ends), "{registration}: {:?}", back.headers());
        let token = world.browser.get(at("/")).send().await.unwrap().text().await.unwrap();
        assert_eq!(api(&token).await, StatusCode::OK, "{registration}: {token}");
        // A code is good once, also for who comes with the whole address again.
        let again = world.browser.get(&callback).send().await.unwrap();
        assert!(again.headers()["location"].to_str().unwrap().contains("error"), "{registration}: {:?}", again.headers());
    }
    let program = world.browser.get(at("/program")).send().await.unwrap().text().await.unwrap();
    assert_eq!(api(&program).await, StatusCode::OK, "{program}");

    let mut altered = program.clone().into_bytes();
    let signature = program.rfind('.').unwrap() + 20;
    altered[signature] = if altered[signature] == b'A' { b'B' } else { b'A' };
    assert_eq!(api(&String::from_utf8(altered).unwrap()).await, StatusCode::UNAUTHORIZED);
    assert_eq!(api(&world.subject_token(false).await).await, StatusCode::UNAUTHORIZED, "of another type, for another service");
    assert_eq!(service.get(at("/api")).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);

    let callback = world.visit(&at("/oauth2/authorization/mistaken")).await;
    let back = world.browser.get(&callback).send().await.unwrap();
    assert!(back.headers()["location"].to_str().unwrap().contains("error"), "a wrong secret: {:?}", back.headers());
    assert!(!callback.starts_with(CALLBACK));
}
