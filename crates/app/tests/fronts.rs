//! Proxies in front of the real binary: curl speaks as one, by the PROXY protocol and with a certificate.

use std::fs;
use std::process::Command;

use crate::fixture::{Durward, PROGRAM, PROGRAM_SECRET};

/// A gateway that takes 127.0.0.0/8 for proxies and `front.pem` for one, before a service that says whose request it was.
async fn open() -> Durward {
    let mut durward = Durward::start().await;
    let (file, directory) = (durward.directory().join("durward.yaml"), durward.directory().to_owned());
    let settings = fs::read_to_string(&file).unwrap().replace("listen:\n", "listen:\n  plain: 127.0.0.1:0\n");
    fs::write(file, settings).unwrap();
    let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(vec!["front.example".to_owned()]).unwrap();
    fs::write(directory.join("front.pem"), cert.pem()).unwrap();
    fs::write(directory.join("front.key"), signing_key.serialize_pem()).unwrap();
    durward.configure("gateway: {fronts: [127.0.0.0/8], front_certificates: [front.pem]}");
    durward.stop();
    durward.restart();
    let service = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let upstream = format!("http://{}", service.local_addr().unwrap());
    let said = |headers: http::HeaderMap| async move {
        let field = |name: &str| headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
        format!("{} {}", field("x-forwarded-for"), field("x-forwarded-proto"))
    };
    tokio::spawn(async move { axum::serve(service, axum::Router::new().fallback(said)).await });
    durward.apply(&format!(
        "kind: route\nname: orders\npath: /orders\nupstream: {upstream}\nservice: orders\naccept: [basic]\nrequire: {{authenticated: true}}\n"
    ));
    durward
}

/// GWDOS-009, GWID-001
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_behind_a_proxy_is_whom_a_listed_one_names_and_nobody_else() {
    let durward = open().await;
    let (plain, over_tls) = (format!("http://{}/orders", durward.listens("plain")), durward.at_gateway("/orders"));
    let asked = |arguments: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "20", "--write-out", " %{http_code}", "--cacert"]).arg(durward.ca());
        curl.args(["--user", &format!("{PROGRAM}:{PROGRAM_SECRET}")]).args(arguments).current_dir(durward.directory());
        String::from_utf8(curl.output().unwrap().stdout).unwrap()
    };
    let forged = ["--header", "X-Forwarded-For: 10.9.9.9", "--header", "X-Forwarded-Proto: https"];
    let with = |more: &[&str], url: &str| asked(&[&forged[..], more, &[url]].concat());

    assert_eq!(with(&["--haproxy-protocol", "--interface", "127.0.0.9"], &plain), "127.0.0.9 https 200");
    assert_eq!(with(&[], &plain), " 000", "a front that does not say whose connection it is");
    assert_eq!(with(&[], &over_tls), "127.0.0.1 https 200", "nobody's word");
    let front = ["--cert", "front.pem", "--key", "front.key"];
    assert_eq!(with(&front, &over_tls), "10.9.9.9 https 200");
    for (proto, refusal) in [("http", "credential_in_the_clear"), ("ftp", "front_malformed")] {
        let proto = format!("X-Forwarded-Proto: {proto}");
        let said = asked(&[&front[..], &["--header", "X-Forwarded-For: 10.9.9.9", "--header", &proto, &over_tls]].concat());
        assert!(said.contains(refusal), "{said}");
    }
}
