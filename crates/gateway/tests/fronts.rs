//! Proxies that nobody here wrote: in front of a service, asking for decisions (nginx, Caddy, Traefik, and Envoy over HTTP and gRPC), and in front of
//! the gateway itself (HAProxy).

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use durward_jose::UnverifiedJwt;
use durward_model::Outcome;
use fixture::{Answer, Fixture};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

/// A proxy that is running.
struct Front {
    /// Where plain requests are taken to it over TLS.
    address: SocketAddr,
    /// Where it listens itself.
    listens: SocketAddr,
    process: Child,
    /// What it is asked with besides.
    more: String,
    _directory: tempfile::TempDir,
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Front {
    /// Starts a proxy with its configuration; `command` makes the command of the program and the file.
    async fn start(gateway: &Fixture, configuration: &str, command: impl FnOnce(&Path, SocketAddr) -> Command) -> Self {
        let text = fs::read_to_string(own(configuration)).unwrap();
        Self::start_with(gateway, (configuration, text), command).await
    }

    /// The same with a text as the file of this name.
    async fn start_with(
        gateway: &Fixture,
        (configuration, text): (&str, String),
        command: impl FnOnce(&Path, SocketAddr) -> Command,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(vec!["shop.example".to_owned()]).unwrap();
        fs::write(directory.path().join("certificate.pem"), cert.pem()).unwrap();
        fs::write(directory.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
        fs::write(directory.path().join("both.pem"), format!("{}{}", cert.pem(), signing_key.serialize_pem())).unwrap();
        let text = text
            .replace("PLAIN", &gateway.plain.to_string())
            .replace("DIRECTORY", directory.path().to_str().unwrap())
            .replace("UPSTREAM_PORT", &gateway.upstream.port().to_string())
            .replace("UPSTREAM", &gateway.upstream.to_string())
            .replace("FRONTS_PORT", &gateway.fronts.port().to_string())
            .replace("FRONTS", &gateway.fronts.to_string())
            .replace("PORT", &address.port().to_string());
        let file = directory.path().join(configuration);
        fs::write(&file, text).unwrap();
        let log = fs::File::create(directory.path().join("log")).unwrap();
        let mut command = command(&file, address);
        command.env("HOME", directory.path()).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let tls = over_tls(address, cert.der().clone()).await;
        let mut front =
            Self { address: tls, listens: address, process: command.spawn().unwrap(), more: String::new(), _directory: directory };
        for _ in 0..600 {
            if TcpStream::connect(address).await.is_ok() && front.is_configured().await {
                return front;
            }
            assert!(front.process.try_wait().unwrap().is_none(), "{configuration}: {}", front.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{configuration} does not listen: {}", front.log());
    }

    /// Traefik listens before it has read what for. One without TLS says nothing here that could be read.
    async fn is_configured(&self) -> bool {
        let answer = said(self.address, [127, 0, 0, 1], b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        let plain = said(self.listens, [127, 0, 0, 1], b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        [answer, plain].iter().any(|answer| answer.starts_with("HTTP/1.1 ") && !answer.contains("404 page not found"))
    }

    fn log(&self) -> String {
        fs::read_to_string(self._directory.path().join("log")).unwrap_or_default()
    }

    async fn ask(&self, method: &str, target: &str, token: Option<&str>) -> Answer {
        let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
        let own = format!("X-User: admin\r\nHost: shop.example\r\nConnection: close\r\n{}", self.more);
        Fixture::raw_at(self.address, &format!("{method} {target} HTTP/1.1\r\n{own}{length}{authorization}\r\n")).await
    }
}

/// What is said at an address to bytes that come from another.
async fn said(address: SocketAddr, from: [u8; 4], bytes: &[u8]) -> String {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let mut answer = Vec::new();
    // Who does not like what it hears may reset the connection.
    if stream.write_all(bytes).await.is_ok() {
        let _ = stream.read_to_end(&mut answer).await;
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// Where what is said in plain text is said over TLS to a proxy with this certificate.
async fn over_tls(proxy: SocketAddr, certificate: CertificateDer<'static>) -> SocketAddr {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let builder = ClientConfig::builder_with_provider(durward_net::provider()).with_safe_default_protocol_versions().unwrap();
    let connector = TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, from)) = listener.accept().await {
            let connector = connector.clone();
            tokio::spawn(async move {
                let socket = tokio::net::TcpSocket::new_v4()?;
                socket.bind((from.ip(), 0).into())?;
                let stream = socket.connect(proxy).await?;
                let mut stream = connector.connect("shop.example".try_into().unwrap(), stream).await?;
                tokio::io::copy_bidirectional(&mut client, &mut stream).await
            });
        }
    });
    address
}

fn own(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fronts").join(file)
}

/// A program that `crates/app/tests/clients/install` has installed.
fn installed(program: &str) -> Command {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients/python/bin").join(program);
    assert!(path.exists(), "{} is not there: run crates/app/tests/clients/install", path.display());
    Command::new(path)
}

/// What a front must make of the decisions. `told` says that it passes on every refusal as it is, `answers` that it can answer a preflight.
async fn decides(gateway: &Fixture, mut front: Front, (told, answers): (bool, bool)) {
    let (customer, clerk) = (gateway.token("customer"), gateway.token("clerk"));
    let before = gateway.events().await.len();
    let allowed = front.ask("GET", "/me?a=1", Some(&customer)).await;
    assert_eq!(allowed.status, 200, "{allowed:?} {}", front.log());
    let heard = allowed.json();
    assert_eq!((&heard["target"], &heard["fields"]["x-user"]), (&json!("/me?a=1"), &Value::Null));
    let identity = heard["fields"]["authorization"].as_str().unwrap().strip_prefix("Bearer ").unwrap();
    let identity = UnverifiedJwt::parse(identity).unwrap().verify(&gateway.identity_key).unwrap();
    let claims = identity.claims();
    assert_eq!((claims.str("sub").unwrap(), claims.aud().unwrap()), (Some("carla"), vec!["inventory"]));

    // GWID-010: the browser's cookies for the gateway end at it, and the others pass.
    for (sent, passes) in [("a=1; __Host-dw-app-main=secret; b=2", json!("a=1; b=2")), ("__Host-dw-app-main=secret", Value::Null)] {
        front.more = format!("Cookie: {sent}\r\n");
        let public = front.ask("GET", "/public", None).await;
        let heard = &public.json()["fields"]["cookie"];
        assert!(*heard == passes || passes.is_null() && *heard == json!(""), "{sent}: {public:?}");
    }
    // A preflight bears no credential and reaches no service.
    front.more = "Origin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n".to_owned();
    let preflight = front.ask("OPTIONS", "/terms/a", None).await;
    let granted = preflight.header("access-control-allow-origin");
    let expected = if answers { (204, Some("https://app.example")) } else { (403, granted) };
    assert_eq!((preflight.status, granted), expected, "{preflight:?}");
    front.more.clear();

    let refused = front.ask("GET", "/me", None).await;
    assert_eq!(refused.status, 401, "{refused:?}");
    assert!(refused.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer realm=\"main\"")), "{refused:?}");
    assert_eq!(front.ask("POST", "/orders", Some(&clerk)).await.status, 403);
    assert_eq!(front.ask("GET", "/nowhere", Some(&clerk)).await.status, if told { 404 } else { 403 });
    assert_ne!(front.ask("GET", "/public/..%2fme", None).await.status, 200);
    // GWID-010: what the gateway has not said is not passed on.
    let public = front.ask("GET", "/public", Some("stolen")).await;
    assert_eq!((public.status, &public.json()["fields"]["authorization"]), (200, &Value::Null), "{public:?}");

    let mut events = gateway.events().await;
    events.truncate(events.len() - before);
    assert!(events.iter().all(|event| event.request.as_ref().unwrap().address.as_deref() == Some("127.0.0.1")));
    let outcomes = |outcome| events.iter().filter(|event| event.outcome == outcome).count();
    let preflights = (usize::from(answers), usize::from(!answers));
    assert_eq!((outcomes(Outcome::Allowed), outcomes(Outcome::Denied)), (4 + preflights.0, 4 + preflights.1), "{events:?}");

    // GWID-011: with nobody to decide, nothing passes.
    gateway.stop();
    tokio::time::sleep(Duration::from_millis(50)).await;
    for (method, target, token) in [("GET", "/me", Some(&*customer)), ("GET", "/public", None)] {
        let status = front.ask(method, target, token).await.status;
        assert!(status == 403 || status >= 500, "{target}: {status}");
    }
}

#[tokio::test]
async fn nginx_asks_by_auth_request() {
    let gateway = Fixture::start().await;
    let command = |file: &Path, _| {
        let mut nginx = Command::new("nginx");
        nginx.args(["-e", "stderr", "-p"]).arg(file.parent().unwrap()).arg("-c").arg(file);
        nginx
    };
    let front = Front::start(&gateway, "nginx.conf", command).await;
    decides(&gateway, front, (false, false)).await;
}

#[tokio::test]
async fn caddy_asks_by_forward_auth() {
    let gateway = Fixture::start().await;
    let command = |file: &Path, _| {
        let mut caddy = installed("caddy");
        caddy.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
        caddy
    };
    let front = Front::start(&gateway, "Caddyfile", command).await;
    decides(&gateway, front, (true, false)).await;
}

#[tokio::test]
async fn traefik_asks_by_forward_auth() {
    let gateway = Fixture::start().await;
    let command = |file: &Path, address| {
        let mut traefik = installed("traefik");
        traefik.arg(format!("--entrypoints.web.address={address}")).arg(format!("--providers.file.filename={}", file.display()));
        traefik.args(["--global.checknewversion=false", "--global.sendanonymoususage=false", "--log.level=ERROR"]);
        traefik
    };
    let front = Front::start(&gateway, "traefik.yaml", command).await;
    decides(&gateway, front, (true, false)).await;
}

fn envoy(file: &Path, _: SocketAddr) -> Command {
    let mut envoy = installed("envoy");
    envoy.args(["--use-dynamic-base-id", "--concurrency", "1", "--log-level", "error", "-c"]).arg(file);
    envoy
}

#[tokio::test]
async fn envoy_asks_by_ext_authz_over_grpc() {
    let gateway = Fixture::start().await;
    let front = Front::start(&gateway, "envoy-grpc.yaml", envoy).await;
    decides(&gateway, front, (true, true)).await;
}

#[tokio::test]
async fn envoy_asks_by_ext_authz_over_http() {
    let gateway = Fixture::start().await;
    let front = Front::start(&gateway, "envoy-http.yaml", envoy).await;
    decides(&gateway, front, (true, true)).await;
}

#[tokio::test]
async fn only_a_listed_front_may_ask() {
    let gateway = Fixture::start().await;
    let request = "GET /forward-auth HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Uri: /public\r\n\
                   X-Forwarded-Host: shop.example\r\nX-Forwarded-Proto: https\r\n\r\n";
    assert_eq!(Fixture::raw_at(gateway.fronts, request).await.status, 200);
    let answer = said(gateway.fronts, [127, 0, 0, 2], request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("front_not_listed"), "{answer}");
}

/// GWDOS-009, GWID-001: by either version of the PROXY protocol, and whatever the client says of itself.
#[tokio::test]
async fn haproxy_says_who_its_clients_are_and_whether_they_came_in_the_clear() {
    const TLS: &str = "ssl crt DIRECTORY/both.pem";
    let gateway = Fixture::start().await;
    let token = gateway.token("customer");
    for (mode, tls, send, status) in [
        ("tcp", "", "send-proxy", 200),
        ("http", "", "send-proxy-v2", 200),
        ("http", "", "send-proxy-v2-ssl", 403),
        ("http", TLS, "send-proxy-v2-ssl", 200),
    ] {
        let text = fs::read_to_string(own("haproxy.cfg")).unwrap().replace("MODE", mode).replace("TLS", tls).replace("SEND", send);
        let command = |file: &Path, _| {
            let mut haproxy = Command::new("haproxy");
            haproxy.args(["-db", "-f"]).arg(file);
            haproxy
        };
        let front = Front::start_with(&gateway, ("haproxy.cfg", text), command).await;
        let own = "Host: shop.example\r\nConnection: close\r\nX-Forwarded-For: 10.9.9.9\r\nX-Forwarded-Proto: https";
        let request = format!("GET /me HTTP/1.1\r\n{own}\r\nAuthorization: Bearer {token}\r\n\r\n");
        let address = if tls.is_empty() { front.listens } else { front.address };
        let answer = said(address, [127, 0, 0, 9], request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{send}: {answer} {}", front.log());
        assert!(status != 200 || answer.contains(r#""x-forwarded-for":"127.0.0.9""#), "{send}: {answer}");
        let event = gateway.events().await.into_iter().find(|event| event.request.as_ref().unwrap().path == "/me").unwrap();
        assert_eq!(event.request.unwrap().address.as_deref(), Some("127.0.0.9"), "{send}");
    }
}
