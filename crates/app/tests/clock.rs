//! An authority whose own clock jumps.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use durward_app::configuration::Settings;
use durward_app::server::Server;
use durward_base::{Clock, Time, Timestamp};
use durward_node::machine;
use reqwest::StatusCode;
use serde_json::Value;

use crate::fixture::{SOON, Turn, within};

const TEN_YEARS: i64 = 10 * 365 * 86_400_000;

/// The machine's clock, and by how many milliseconds somebody has set it.
#[derive(Clone)]
struct Settable {
    set: Arc<AtomicI64>,
    clock: Clock,
    begun: Instant,
}

impl Time for Settable {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.now().millis() + self.set.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// FLT-014. The command line waits on a thread of its own while the server in this process answers it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_whose_clock_jumps_issues_and_retires_nothing_until_it_is_right_or_confirmed() {
    let _turn = Turn::shared().await;
    let directory = tempfile::tempdir().unwrap();
    let mut settings = Settings { data: directory.path().join("data"), ..Settings::default() };
    let listen = &mut settings.listen;
    for address in [&mut listen.authority, &mut listen.gateway, &mut listen.operations, &mut listen.nodes] {
        address.set_port(0);
    }
    let time = Settable { set: Arc::default(), clock: machine::clock(), begun: Instant::now() };
    let server = Server::start(settings, Clock::new(time.clone()), machine::rng()).await.unwrap();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let roots = reqwest::Certificate::from_pem(server.trust_pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([roots]).build().unwrap();
    let get = async |url: String| {
        let answer = client.get(url).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let operations = format!("http://{}", server.addresses().operations);
    let realm = format!("{}/realms/main", server.public_url());
    let token = async || {
        let form = [("grant_type", "client_credentials"), ("client_id", "nobody")];
        client.post(format!("{realm}/oauth2/token")).form(&form).send().await.unwrap().status()
    };
    // What requests are encrypted to follows the calendar, and is good for the month before and the month after.
    let signing = async || {
        let (status, body) = get(format!("{realm}/oauth2/jwks")).await;
        let mut published: Value = serde_json::from_str(&body).unwrap();
        published["keys"].as_array_mut().unwrap().retain(|key| key["use"] == "sig");
        (status, published)
    };
    let jwks = signing().await;
    assert_eq!(get(format!("{operations}/readyz")).await.0, StatusCode::OK);
    for by in [TEN_YEARS, -TEN_YEARS, 3_600_000] {
        time.set.fetch_add(by, Ordering::SeqCst);
        let seen = async || get(format!("{operations}/readyz")).await.0 == StatusCode::SERVICE_UNAVAILABLE;
        within(SOON, "the jump is seen", seen).await;
        let body = get(format!("{operations}/readyz")).await.1;
        let readiness: Value = serde_json::from_str(&body).unwrap();
        let clock = readiness["checks"].as_array().unwrap().iter().find(|check| check["name"] == "clock").unwrap().clone();
        assert!(clock["why"].as_str().unwrap().contains("durward clock confirm"), "{clock}");
        let metrics = get(format!("{operations}/metrics")).await.1;
        let gauge = metrics.lines().find_map(|line| line.strip_prefix("durward_clock_jump_seconds ")).unwrap().parse::<f64>().unwrap();
        assert!((gauge - by as f64 / 1_000.0).abs() < 1.0, "{gauge}");
        assert_eq!(token().await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(signing().await, jwks, "no key moves");
        if by == TEN_YEARS {
            // This jump is undone, the next two are said to be right.
            time.set.fetch_sub(by, Ordering::SeqCst);
        } else {
            let confirmed = confirm(&directory.path().join("data"));
            assert!(confirmed.contains(&format!("had jumped by {} s", by / 1_000)), "{confirmed}");
        }
        assert_eq!(get(format!("{operations}/readyz")).await.0, StatusCode::OK);
        assert_eq!(token().await, StatusCode::UNAUTHORIZED, "it answers again");
    }
    assert!(confirm(&directory.path().join("data")).contains("had not jumped"));
    server.stop().await;
}

fn confirm(data: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_durward")).arg("--data").arg(data).args(["clock", "confirm"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
