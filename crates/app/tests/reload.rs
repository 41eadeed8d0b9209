//! SIGHUP: resources change under load without one failed request; what is broken changes nothing and is named with its line.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::StatusCode;

use crate::fixture::{Durward, RESOURCES, signal, within};

const SOON: Duration = Duration::from_secs(5);

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
