//! `examples/adopt`: an ordinary service in each language, the documented change, and what comes of it through the gateway and straight at it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::http::HeaderMap;
use reqwest::{Method, StatusCode};
use tokio::net::TcpListener;

use crate::fixture::{ALICE, Durward, PASSWORD, PROGRAM_SECRET, SOON, granted, installed, script, within};

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
    /// Applies the change to a copy, has it made ready, and starts what that says.
    fn start(durward: &Durward, language: &str, ready: fn(&Durward, &Path) -> Command) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/adopt").join(language);
        let directory = durward.directory().join(language);
        done(Command::new("cp").arg("-r").arg(&source).arg(&directory));
        let patch = fs::read_to_string(source.join("adopt.patch")).unwrap();
        let added = patch.lines().filter(|line| line.starts_with('+') && !line.starts_with("+++") && *line != "+").count();
        assert!(added <= LINES, "{language}: {added} lines");
        done(Command::new("git").args(["apply", "adopt.patch"]).current_dir(&directory).env("GIT_CEILING_DIRECTORIES", "/"));
        let mut process = ready(durward, &directory)
            .current_dir(&directory)
            .env("PORT", "0")
            .env("ISSUER", durward.at("/gateways/main"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| port(&line)).unwrap_or_else(|| panic!("{language}: it ended"));
        // Nobody may wait for what is not read.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address: format!("127.0.0.1:{port}") }
    }
}

/// Where a service says that it listens: a line of its own, or Tomcat's.
fn port(line: &str) -> Option<u16> {
    let tomcats = line.split_once("Tomcat started on port ").and_then(|(_, rest)| rest.split(' ').next());
    tomcats.unwrap_or(line).parse().ok()
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
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

async fn adopt(language: &str, identity_type: &str, ready: fn(&Durward, &Path) -> Command) {
    let durward = Durward::start().await;
    let service = Adopted::start(&durward, language, ready);
    let rest = format!("service: orders\nidentity_type: {identity_type}\nrequire: {{authenticated: true}}\n");
    durward.apply(&format!(
        "kind: role\nname: clerk\n---\nkind: client\nname: till\nauthentication: client_secret_basic\nsecrets: [\"${{PROGRAM_SECRET}}\"]\n\
         grants: [client_credentials]\nservices: [orders]\nroles: [clerk]\n---\nkind: route\nname: orders\npath: /orders\n\
         upstream: http://{}\n{rest}---\nkind: route\nname: mirror\npath: /mirror\n\
         upstream: http://{}\n{rest}",
        service.address,
        mirror().await,
    ));
    let client = durward.client();
    let customer = durward.application().log_in(ALICE, PASSWORD).await.access_token;
    let form = [("grant_type", "client_credentials")];
    let till = client.post(format!("{}/oauth2/token", durward.issuer())).basic_auth("till", Some(PROGRAM_SECRET)).form(&form).send().await;
    let clerk = granted(till.unwrap()).await.access_token;
    let served = async || asked(&client, &Method::GET, durward.at_gateway("/mirror"), &customer).await == StatusCode::OK;
    within(SOON, "the routes are served", served).await;
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
    adopt("python", "dw-id+jwt", |durward, _| {
        let mut command = Command::new(installed("python/bin/python"));
        command.arg("app.py").env("SSL_CERT_FILE", durward.ca());
        command
    })
    .await;
}

#[tokio::test]
async fn a_service_in_node_adopts_it_in_ten_lines() {
    adopt("node", "dw-id+jwt", |durward, directory| {
        std::os::unix::fs::symlink(installed("node_modules"), directory.join("node_modules")).unwrap();
        let mut command = Command::new("node");
        command.arg("app.mjs").env("NODE_EXTRA_CA_CERTS", durward.ca());
        command
    })
    .await;
}

#[tokio::test]
async fn a_service_in_go_adopts_it_in_ten_lines() {
    adopt("go", "dw-id+jwt", |durward, directory| {
        // What `go get` writes.
        for file in ["go.mod", "go.sum"] {
            fs::copy(script("go").join(file), directory.join(file)).unwrap();
        }
        let installed = ["gomod", "go"].map(|cache| installed("").join(cache));
        let mut build = Command::new("go");
        build.args(["build", "-o", "orders"]).current_dir(directory).env("GOMODCACHE", &installed[0]).env("GOCACHE", &installed[1]);
        done(build.envs([("GOPROXY", "off"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=readonly -buildvcs=false")]));
        let mut command = Command::new(directory.join("orders"));
        command.env("SSL_CERT_FILE", durward.ca());
        command
    })
    .await;
}

/// Spring Boot and Maven as they are. Its decoder takes no type but `JWT`.
#[tokio::test]
async fn a_service_in_spring_adopts_it_in_ten_lines() {
    adopt("spring", "JWT", |durward, directory| {
        let repository = format!("-Dmaven.repo.local={}", installed("maven").display());
        done(Command::new("mvn").args(["--offline", "--quiet", "--batch-mode", &repository, "package"]).current_dir(directory));
        let roots = directory.join("ca.p12");
        durward.command(&["ca", "export", "--format", "p12", "-f", roots.to_str().unwrap()]);
        let mut command = Command::new("java");
        command.args(["-XX:TieredStopAtLevel=1", "-Xmx192m", &format!("-Djavax.net.ssl.trustStore={}", roots.display())]).args([
            "-Djavax.net.ssl.trustStorePassword=changeit",
            "-jar",
            "target/orders.jar",
        ]);
        command
    })
    .await;
}
