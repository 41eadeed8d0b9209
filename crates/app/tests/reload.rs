//! SIGHUP: resources change under load without one failed request; what is broken changes nothing and is named with its line.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::StatusCode;

use crate::fixture::{Durward, PROGRAM, PROGRAM_SECRET, RESOURCES, SOON, Turn, signal, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_under_load_fails_no_request_and_a_broken_one_keeps_what_stood() {
    let mut durward = Durward::start().await;
    durward.stop();
    let resources = durward.directory().join("resources");
    fs::create_dir(&resources).unwrap();
    fs::write(resources.join("all.yaml"), RESOURCES).unwrap();
    durward.configure("resources: resources");
    durward.restart();

    let over = Arc::new(AtomicBool::new(false));
    let (application, ended) = (durward.application(), Arc::clone(&over));
    let load = tokio::spawn(async move {
        let mut served = 0;
        while !ended.load(Ordering::Relaxed) {
            let answer = application.program_token().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            served += 1;
        }
        served
    });

    let role =
        |name: &str| durward.try_command(&["export", "--kind", "role"]).stdout.windows(name.len()).any(|part| part == name.as_bytes());
    fs::write(resources.join("more.yaml"), "kind: role\nname: newcomer\n").unwrap();
    signal(durward.pid(), "HUP");
    within(SOON, "the role is there", async || role("newcomer")).await;

    fs::write(resources.join("more.yaml"), "kind: role\nname: newcomer\n---\nkind: role\nname: later\ndescripton: x\n").unwrap();
    signal(durward.pid(), "HUP");
    within(SOON, "the fault is named with its line", async || durward.log().contains("more.yaml:6")).await;
    assert!(role("newcomer") && !role("later"));

    fs::remove_file(resources.join("more.yaml")).unwrap();
    let settings = fs::read_to_string(durward.directory().join("durward.yaml")).unwrap();
    fs::write(durward.directory().join("durward.yaml"), format!("{settings}publc_url: https://a\n")).unwrap();
    signal(durward.pid(), "HUP");
    within(SOON, "the key is named", async || durward.log().contains("publc_url")).await;

    over.store(true, Ordering::Relaxed);
    assert!(load.await.unwrap() > 10);
}

const RELOADS: usize = 20;

/// What is put in place the `number`th time: a route, its policy and a certificate.
fn change(directory: &Path, upstream: &str, number: usize) {
    let resources = directory.join("resources");
    let route = format!(
        "kind: route\nname: orders\npath: /orders\nupstream: {upstream}\nservice: orders\naccept: [basic]\nmax_staleness_seconds: {}\nauthorize: {{action: \"orders:list\"}}\n",
        60 + number
    );
    fs::write(resources.join("route.yaml"), route).unwrap();
    let policy = format!("permit (principal, action == Action::\"orders:list\", resource) when {{ principal.id != \"nobody-{number}\" }};");
    fs::write(resources.join("orders.cedar"), policy).unwrap();
    let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(vec!["shop.example".to_owned()]).unwrap();
    for (file, text) in [("shop.pem", cert.pem()), ("shop.key", signing_key.serialize_pem())] {
        fs::write(directory.join("new"), text).unwrap();
        fs::rename(directory.join("new"), directory.join(file)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_of_routes_policies_and_certificates_fail_no_request_that_goes_through_them() {
    let service = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let upstream = format!("http://{}", service.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(service, axum::Router::new().fallback(async || "served")).await });
    let mut durward = Durward::empty(Turn::shared().await).await;
    durward.stop();
    let directory = durward.directory().to_owned();
    fs::create_dir(directory.join("resources")).unwrap();
    fs::write(directory.join("resources/all.yaml"), RESOURCES).unwrap();
    let schema =
        "action \"orders:list\" appliesTo { principal: [Durward::User, Durward::Service, Durward::Client], resource: [Durward::Route] };";
    fs::write(directory.join("resources/orders.cedarschema"), schema).unwrap();
    change(&directory, &upstream, 0);
    durward.configure("resources: resources\ncertificates: [{chain: shop.pem, key: shop.key}]");
    durward.restart();

    let over = Arc::new(AtomicBool::new(false));
    // One on a connection that stands, one on a new connection each time.
    let loads = [durward.client_builder().build().unwrap(), durward.client()].map(|client| {
        let (url, over) = (durward.at_gateway("/orders"), Arc::clone(&over));
        tokio::spawn(async move {
            let mut served = 0;
            while !over.load(Ordering::Relaxed) || served < 100 {
                let answer = client.get(&url).basic_auth(PROGRAM, Some(PROGRAM_SECRET)).send().await.unwrap();
                assert_eq!(answer.status(), StatusCode::OK, "after {served}");
                served += 1;
            }
        })
    });
    let done = || durward.log().matches("resources applied").count();
    for number in 1..=RELOADS {
        let before = done();
        change(&directory, &upstream, number);
        signal(durward.pid(), "HUP");
        within(SOON, "the reload is done", async || done() > before).await;
    }
    over.store(true, Ordering::Relaxed);
    for load in loads {
        load.await.unwrap();
    }
    let routes = durward.try_command(&["export", "--kind", "route"]);
    assert!(String::from_utf8_lossy(&routes.stdout).contains(&(60 + RELOADS).to_string()), "the last one holds");
}
