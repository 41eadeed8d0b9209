//! Certificates obtained by ACME, with Pebble as the authority: what becomes of a start without it, of names that lead elsewhere, of
//! connections that stand through a renewal, and of a restart.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::tls::TlsInfo;
use serde_json::json;
use tempfile::TempDir;

use crate::fixture::{Durward, SOON, Turn, configure, free_port, installed, within};

const NAME: &str = "shop.example";
/// Leads to an address where nobody listens.
const ELSEWHERE: &str = "away.example";
const KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

/// Pebble, told to validate at a port. Its certificates last ten seconds, or an hour by the profile `long`.
struct Pebble {
    process: Child,
    management: String,
    own: reqwest::Certificate,
}

impl Pebble {
    async fn start(directory: &Path, [port, management, tls]: [u16; 3]) -> Self {
        let own = identify(directory);
        let settings = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": directory.join("pebble.pem"),
            "privateKey": directory.join("pebble.key"),
            "tlsPort": tls,
            "httpPort": tls,
            "externalAccountBindingRequired": true,
            "externalAccountMACKeys": {"ours": KEY},
            "retryAfter": {"authz": 1, "order": 1},
            "keyAlgorithm": "ecdsa",
            "profiles": {
                "default": {"description": "short", "validityPeriod": 10},
                "long": {"description": "long", "validityPeriod": 3600},
            },
        }});
        fs::write(directory.join("pebble.json"), settings.to_string()).unwrap();
        let mut command = Command::new(installed("bin/pebble"));
        command.arg("-strict").arg("-config").arg(directory.join("pebble.json")).arg("-dnsserver").arg(names().to_string());
        command.envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "0"), ("PEBBLE_AUTHZREUSE", "0")]);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        within(SOON, "Pebble listens", async || [port, management].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()))
            .await;
        Self { process, management: format!("https://localhost:{management}"), own }
    }

    /// What trusts what it issues.
    async fn root(&self) -> reqwest::Certificate {
        let client = reqwest::Client::builder().tls_certs_only([self.own.clone()]).build().unwrap();
        let pem = client.get(format!("{}/roots/0", self.management)).send().await.unwrap().bytes().await.unwrap();
        reqwest::Certificate::from_pem(&pem).unwrap()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Pebble's own certificate, and the root that vouches for it.
fn identify(directory: &Path) -> reqwest::Certificate {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &root).unwrap();
    for (file, text) in [("roots.pem", root.pem()), ("pebble.pem", leaf.pem()), ("pebble.key", key.serialize_pem())] {
        fs::write(directory.join(file), text).unwrap();
    }
    reqwest::Certificate::from_pem(root.pem().as_bytes()).unwrap()
}

/// A name server, over TCP, to which every name has one address of version 4.
fn names() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut length = [0; 2];
            while stream.read_exact(&mut length).is_ok() {
                let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut query).unwrap();
                let is_for_v4 = query.ends_with(&[0, 1, 0, 1]);
                let last = if query.windows(4).any(|label| label == b"away") { 2 } else { 1 };
                let mut answer = [&query[..2], &[0x81, 0x80, 0, 1, 0, u8::from(is_for_v4), 0, 0, 0, 0], &query[12..]].concat();
                if is_for_v4 {
                    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, last]);
                }
                stream.write_all(&[&u16::try_from(answer.len()).unwrap().to_be_bytes()[..], &answer].concat()).unwrap();
            }
        }
    });
    address
}

/// A client that trusts this root and knows where the names lead.
fn trusting(root: &reqwest::Certificate, gateway: SocketAddr) -> reqwest::Client {
    let client = reqwest::Client::builder().tls_certs_only([root.clone()]).tls_info(true);
    client.resolve(NAME, gateway).resolve(ELSEWHERE, gateway).timeout(SOON).build().unwrap()
}

/// The certificate of the connection that a request went over; none when there was no trust.
async fn shown(client: &reqwest::Client, name: &str, gateway: SocketAddr) -> Option<Vec<u8>> {
    let answer = client.get(format!("https://{name}:{}/nowhere", gateway.port())).send().await.ok()?;
    answer.extensions().get::<TlsInfo>()?.peer_certificate().map(<[u8]>::to_vec)
}

/// An authority configured to obtain certificates at a port where nobody listens yet.
fn configured(directory: &TempDir, port: u16, gateway: SocketAddr) {
    configure(directory.path(), free_port());
    identify(directory.path());
    let (file, key) = (directory.path().join("durward.yaml"), directory.path().join("external.key"));
    fs::write(&key, KEY).unwrap();
    let settings = fs::read_to_string(&file).unwrap().replace("gateway: 127.0.0.1:0", &format!("gateway: {gateway}"));
    let acme = format!(
        "acme:\n  directory: https://localhost:{port}/dir\n  names: [{NAME}, {ELSEWHERE}]\n  terms_agreed: true\n  contact: ops@{NAME}\n  \
         profile: default\n  roots: roots.pem\n  external_account: {{id: ours, key: \"file:{}\"}}\n",
        key.display()
    );
    fs::write(&file, settings + &acme).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_obtained_renewed_under_those_who_are_connected_and_there_again_after_a_restart() {
    // The first to ask installs it; the rest find it there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let ports = [free_port(), free_port(), free_port()];
    let gateway = SocketAddr::from(([127, 0, 0, 1], ports[2]));
    let directory = tempfile::tempdir().unwrap();
    configured(&directory, ports[0], gateway);

    let mut durward = Durward::over(directory, Turn::shared().await);
    let own = reqwest::Certificate::from_pem(&fs::read(durward.ca()).unwrap()).unwrap();
    let refused = |name: &str, why: &str| {
        let log = durward.log();
        log.lines().any(|line| line.contains("no certificate was obtained") && line.contains(name) && line.contains(why))
    };
    within(SOON, "the log says why there is none", async || refused(NAME, &format!("cannot connect to https://localhost:{}", ports[0])))
        .await;
    assert!(shown(&trusting(&own, gateway), NAME, gateway).await.is_some(), "until then our own is shown");
    durward.stop();

    let pebble = Pebble::start(durward.directory(), ports).await;
    durward.restart();
    let root = pebble.root().await;
    within(SOON, "it is obtained", async || shown(&trusting(&root, gateway), NAME, gateway).await.is_some()).await;
    let kept = trusting(&root, gateway);
    let first = shown(&kept, NAME, gateway).await.unwrap();
    let refused = |name: &str, why: &str| {
        let log = durward.log();
        log.lines().any(|line| line.contains("no certificate was obtained") && line.contains(name) && line.contains(why))
    };
    within(SOON, "a name that leads elsewhere is not", async || refused(ELSEWHERE, "could not validate the name")).await;
    assert!(shown(&trusting(&own, gateway), ELSEWHERE, gateway).await.is_some(), "and our own is shown for it");

    let renewed = async || shown(&trusting(&root, gateway), NAME, gateway).await.is_some_and(|leaf| leaf != first);
    within(SOON, "it is renewed", renewed).await;
    assert_eq!(shown(&kept, NAME, gateway).await.unwrap(), first, "who is connected stays connected");

    durward.stop();
    let file = durward.directory().join("durward.yaml");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("profile: default", "profile: long")).unwrap();
    durward.restart();
    let metric = async |name: &str| -> u64 {
        let metrics = durward.client().get(durward.at_operations("/metrics")).send().await.unwrap().text().await.unwrap();
        let line = format!("durward_certificate_expiry_seconds{{chain=\"{name}\"}} ");
        metrics.lines().find_map(|told| told.strip_prefix(&line)?.parse().ok()).unwrap_or_else(|| panic!("{metrics}"))
    };
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    within(SOON, "the next lasts longer", async || metric(NAME).await > now + 1800).await;
    assert_eq!(metric(ELSEWHERE).await, 0, "there is none to expire");
    drop(pebble);
    durward.stop();
    durward.restart();
    assert!(shown(&trusting(&root, gateway), NAME, gateway).await.is_some(), "it is there without anybody asked");

    let page = durward.command(&["audit", "list", "--kind", "certificate.obtained"]);
    let of = |name: &str, outcome: &str| {
        let events = page["items"].as_array().unwrap().iter();
        events.filter(|event| event["target"] == format!("certificate/{name}") && event["outcome"] == outcome).count()
    };
    assert!(of(NAME, "changed") >= 2 && of(NAME, "failed") >= 1 && of(ELSEWHERE, "failed") >= 1, "{page}");
    assert_eq!(of(ELSEWHERE, "changed"), 0);
}
