//! One question to the policies over HTTP (OpenID AuthZEN), by four kept-alive connections over TLS: within how many milliseconds 99 of 100 are
//! answered, at the gateway and at the authority.

use std::path::Path;

use anyhow::Context as _;

use super::authority::{self, AUTHORITY, Authority, GATEWAY};
use super::process::output;
use super::report::{Case, Report};
use super::{Plan, load};

/// About a service itself; the policy calculates with the moment, so that each question is decided anew.
const QUESTION: &str =
    r#"{"subject":{"type":"service","id":"stock"},"action":{"name":"stock:count"},"resource":{"type":"Shelf","id":"7"}}"#;

/// Runs it.
pub fn run(plan: &Plan) -> anyhow::Result<Report> {
    authority::build(plan)?;
    let directory = tempfile::tempdir()?;
    let durward = Authority::start(plan, directory.path(), Some(Path::new("bench/authzen/resources")))?;
    let mut report = Report::new("authzen", "gateway-p99");
    let points = [("gateway-p99", GATEWAY, ""), ("authority-p99", AUTHORITY, "/realms/main")];
    report.cases = points.iter().map(|(name, ..)| case(name)).collect();
    for round in 0..=plan.rounds {
        let secret = "bench/gateway/secret";
        let token = durward.command(&["token", "--client", "asker", "--secret-file", secret, "--service", "urn:durward:fleet"])?;
        for (case, (name, port, realm)) in report.cases.iter_mut().zip(points) {
            let url = format!("https://127.0.0.1:{port}{realm}/access/v1/evaluation");
            anyhow::ensure!(answer(&url, &token)?.contains("\"decision\":true"), "{name}: the question must be answered with yes");
            let arguments = ["-c4", "--latency", "-s", "bench/authzen/ask.lua"];
            let load = load::run(&durward.process, plan.seconds, &arguments, &url, &[&token, QUESTION])?;
            anyhow::ensure!(load.refused == 0 && load.requests > 0.0, "{name}: {} of {} were refused", load.refused, load.requests);
            let p99 = load.p99.context("wrk printed no latencies")?;
            println!("# round {round}: {name} {p99:.2} ms, {:.0} answers per CPU-second", load.per_cpu_second);
            if round > 0 {
                case.rounds.push((p99, 1.0));
            }
        }
    }
    Ok(report)
}

fn case(name: &str) -> Case {
    let (name, peer, unit) = (name.to_owned(), "a millisecond".to_owned(), "ms".to_owned());
    Case { name, peer, unit, goal: 1.0, at_most: true, rounds: Vec::new() }
}

fn answer(url: &str, token: &str) -> anyhow::Result<String> {
    let header = format!("Authorization: Bearer {token}");
    output("curl", &["--silent", "--insecure", "--header", &header, "--json", QUESTION, url])
}
