//! Clients that were not written for us, unpatched: npm's `openid-client` and PyPI's `authlib`; and a browser.

use std::process::Command;

use crate::fixture::{ALICE, CALLBACK, Durward, PASSWORD, PROGRAM, PROGRAM_SECRET, installed, script};

async fn run(mut command: Command, durward: &Durward) {
    command
        .env("ISSUER", durward.issuer())
        .env("CLIENTS", installed(""))
        .env("CA", durward.ca())
        .env("NODE_EXTRA_CA_CERTS", durward.ca())
        .envs([("CALLBACK", CALLBACK), ("PERSON", ALICE), ("PASSWORD", PASSWORD)])
        .envs([("PROGRAM", PROGRAM), ("PROGRAM_SECRET", PROGRAM_SECRET)]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

fn node(name: &str, module: &str) -> Command {
    installed(&format!("node_modules/{module}"));
    let mut command = Command::new("node");
    command.arg(script(name));
    command
}

#[tokio::test]
async fn openid_client_logs_in_refreshes_introspects_and_revokes() {
    let durward = Durward::start().await;
    run(node("openid_client.mjs", "openid-client"), &durward).await;
}

#[tokio::test]
async fn authlib_logs_in_refreshes_introspects_and_revokes() {
    let durward = Durward::start().await;
    let mut python = Command::new(installed("python/bin/python"));
    python.arg(script("authlib_client.py"));
    run(python, &durward).await;
}

#[tokio::test]
async fn a_person_logs_in_with_a_browser() {
    let durward = Durward::start().await;
    run(node("browser.mjs", "playwright-core"), &durward).await;
}

#[tokio::test]
async fn a_person_sets_up_a_second_factor_with_a_browser_and_logs_in_with_it() {
    let durward = Durward::start().await;
    run(node("second_factor.mjs", "playwright-core"), &durward).await;
}
