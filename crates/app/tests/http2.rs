//! HTTP/2 as the gateway speaks it, by a referee that nobody here wrote.

use std::process::Command;

use crate::fixture::{Durward, installed};

/// h2spec's sections of RFC 9113, its generic tests, and RFC 7541.
#[tokio::test(flavor = "multi_thread")]
async fn h2spec_finds_the_gateway_conformant() {
    let durward = Durward::start().await;
    let address = durward.at_gateway("");
    let (host, port) = address.strip_prefix("https://").unwrap().split_once(':').unwrap();
    let output = Command::new(installed("bin/h2spec")).args(["-h", host, "-p", port, "-t", "-k", "-o", "5"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let summary = told.lines().find(|line| line.contains(" tests, ")).unwrap_or_else(|| panic!("{told}"));
    let number = |what: &str| -> u32 { summary.split(", ").find_map(|part| part.strip_suffix(what)?.trim().parse().ok()).unwrap() };
    assert!(number(" passed") >= 140 && number(" failed") == 0, "{told}");
}
