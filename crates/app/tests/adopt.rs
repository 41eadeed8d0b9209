//! `examples/adopt`: an ordinary service in each language, the documented change, and what comes of it through the gateway and straight at it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::http::HeaderMap;
use reqwest::{Method, StatusCode};
use tokio::net::TcpListener;

use crate::fixture::{ALICE, Durward, PASSWORD, PROGRAM_SECRET, granted, installed, within};

/// The most lines that a change may add.
const LINES: usize = 10;

/// An adopted service that is running.
struct Adopted {
    process: Child,
    address: String,
}

impl Drop for Adopted {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Adopted {
    fn start(durward: &Durward, language: &str, file: &str, program: PathBuf) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/adopt").join(language);
        let directory = durward.directory().join(language);
        fs::create_dir_all(&directory).unwrap();
        fs::copy(source.join(file), directory.join(file)).unwrap();
        let patch = source.join("adopt.patch");
        let text = fs::read_to_string(&patch).unwrap();
        assert!(
            text.lines().filter(|line| line.starts_with('+') && !line.starts_with("+++") && *line != "+").count() <= LINES,
            "{language}"
        );
        let applied =
            Command::new("git").arg("apply").arg(&patch).current_dir(&directory).env("GIT_CEILING_DIRECTORIES", "/").status().unwrap();
        assert!(applied.success(), "{language}: the change does not apply");
        let _ = std::os::unix::fs::symlink(installed("node_modules"), directory.join("node_modules"));
        let mut process = Command::new(program)
            .arg(directory.join(file))
            .env("PORT", "0")
            .env("ISSUER", durward.at("/gateways/main"))
            .env("SSL_CERT_FILE", durward.ca())
            .env("NODE_EXTRA_CA_CERTS", durward.ca())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { process, address: format!("127.0.0.1:{}", port.trim()) }
    }
}

/// A service that says which identity it was shown.
async fn mirror() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = Router::new().fallback(|headers: HeaderMap| async move { headers["authorization"].to_str().unwrap()[7..].to_owned() });
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}

async fn asked(client: &reqwest::Client, method: &Method, url: String, token: &str) -> StatusCode {
    let request = client.request(method.clone(), url);
    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
    request.send().await.unwrap().status()
}

async fn adopt(language: &str, file: &str, program: PathBuf) {
    let durward = Durward::start().await;
    let service = Adopted::start(&durward, language, file, program);
    durward.apply(&format!(
        "kind: role\nname: clerk\n---\nkind: client\nname: till\nauthentication: client_secret_basic\nsecrets: [\"${{PROGRAM_SECRET}}\"]\n\
         grants: [client_credentials]\nservices: [orders]\nroles: [clerk]\n---\nkind: route\nname: orders\npath: /orders\n\
         upstream: http://{}\nservice: orders\nrequire: {{authenticated: true}}\n---\nkind: route\nname: mirror\npath: /mirror\n\
         upstream: http://{}\nservice: orders\nrequire: {{authenticated: true}}\n",
        service.address,
        mirror().await,
    ));
    let client = durward.client();
    let customer = durward.application().log_in(ALICE, PASSWORD).await.access_token;
    let form = [("grant_type", "client_credentials")];
    let till = client.post(format!("{}/oauth2/token", durward.issuer())).basic_auth("till", Some(PROGRAM_SECRET)).form(&form).send().await;
    let clerk = granted(till.unwrap()).await.access_token;
    let served = async || asked(&client, &Method::GET, durward.at_gateway("/mirror"), &customer).await == StatusCode::OK;
    within(std::time::Duration::from_secs(5), "the routes are served", served).await;
    let identity =
        async |token: &str| client.get(durward.at_gateway("/mirror")).bearer_auth(token).send().await.unwrap().text().await.unwrap();
    let (customers, clerks) = (identity(&customer).await, identity(&clerk).await);
    for (method, through, straight, status) in [
        (Method::GET, "", "", StatusCode::UNAUTHORIZED),
        (Method::GET, "a.b.c", "a.b.c", StatusCode::UNAUTHORIZED),
        (Method::GET, &*customer, &*customers, StatusCode::OK),
        (Method::DELETE, &*customer, &*customers, StatusCode::FORBIDDEN),
        (Method::DELETE, &*clerk, &*clerks, StatusCode::OK),
    ] {
        assert_eq!(
            asked(&client, &method, durward.at_gateway("/orders/7"), through).await,
            status,
            "{language}: {method} through the gateway"
        );
        assert_eq!(asked(&client, &method, format!("http://{}/orders/7", service.address), straight).await, status, "{language}: {method}");
    }
    // What opens the gateway does not open the service.
    let url = format!("http://{}/orders/7", service.address);
    assert_eq!(asked(&client, &Method::GET, url, &customer).await, StatusCode::UNAUTHORIZED, "{language}");
}

#[tokio::test]
async fn a_service_in_python_adopts_it_in_ten_lines() {
    adopt("python", "app.py", installed("python/bin/python")).await;
}

#[tokio::test]
async fn a_service_in_node_adopts_it_in_ten_lines() {
    adopt("node", "app.mjs", PathBuf::from("node")).await;
}
