//! A request through the gateway: TLS 1.3 in front, plain HTTP behind, an ES256 token verified, a requirement and policies decided, an identity
//! token sent, an audit event kept; against nginx over TLS that does none of it.

use std::path::Path;

use anyhow::Context as _;

use super::authority::{self, Authority, GATEWAY};
use super::process::{LOAD, MEASURED, Process, output};
use super::report::{Case, Report};
use super::{Plan, load};

const PEER: &str = "https://127.0.0.1:28171/hello";

/// Runs it.
pub fn run(plan: &Plan) -> anyhow::Result<Report> {
    authority::build()?;
    let directory = tempfile::tempdir()?;
    let work = directory.path();
    for file in ["backend.conf", "peer.conf"] {
        std::fs::copy(format!("bench/gateway/{file}"), work.join(file))?;
    }
    certificate(work)?;
    let prefix = work.to_string_lossy().into_owned();
    let nginx = |core: &str, configuration: &str| {
        Process::start(core, "nginx", &["-p", &prefix, "-c", configuration, "-e", "error.log"], &work.join(format!("{configuration}.log")))
    };
    let _backend = nginx(LOAD, "backend.conf")?;
    let peer = nginx(MEASURED, "peer.conf")?;
    let durward = Authority::start(&work.join("durward"), Some(Path::new("bench/gateway/resources")))?;
    let token = durward.command(&["token", "--client", "bench", "--secret-file", "bench/gateway/secret", "--service", "shop"])?;
    let header = format!("Authorization: Bearer {token}");
    let own = format!("https://127.0.0.1:{GATEWAY}/hello");
    anyhow::ensure!(status(&own, None)? == "401", "a request without a token must be refused");
    anyhow::ensure!(status(&own, Some(&header))? == "200", "a request with a token must be answered");

    let mut report = Report::new("gateway", "tls-jwt-cedar10-identity-audit");
    let mut rounds = Vec::new();
    for round in 0..=plan.rounds {
        // A token lives five minutes; the first round warms up and is not counted.
        let token = durward.command(&["token", "--client", "bench", "--secret-file", "bench/gateway/secret", "--service", "shop"])?;
        let header = format!("Authorization: Bearer {token}");
        let theirs = load::run(&peer, plan.seconds, &[], PEER, &[])?;
        let ours = load::run(&durward.process, plan.seconds, &["-H", &header], &own, &[])?;
        anyhow::ensure!(ours.refused == 0 && theirs.refused == 0, "{} of ours and {} of theirs were refused", ours.refused, theirs.refused);
        if round > 0 {
            rounds.push((ours.per_cpu_second, theirs.per_cpu_second));
            println!("# round {round}: {:.0} against {:.0} requests per CPU-second", ours.per_cpu_second, theirs.per_cpu_second);
        }
    }
    report.notes.extend(steps(&durward)?);
    report.notes.push(format!("resident memory under load: {:.1} MiB", durward.process.resident_mib()));
    report.cases.push(Case {
        name: report.headline.clone(),
        peer: "nginx over TLS without authentication".to_owned(),
        unit: "requests per CPU-second".to_owned(),
        goal: 0.80,
        at_most: false,
        rounds,
    });
    Ok(report)
}

/// The microseconds of each step, from the audit record of the last requests. The record has whole ones, rounded down: half of one is
/// added, and the mean of many is exact to less than one.
fn steps(durward: &Authority) -> anyhow::Result<Vec<String>> {
    let events = durward.command(&["audit", "list", "--kind", "gateway.request", "--limit", "200", "--output", "json"])?;
    let page: serde_json::Value = serde_json::from_str(&events)?;
    let events = page.get("items").and_then(serde_json::Value::as_array).context("no events on record")?;
    let mut times: std::collections::BTreeMap<&str, Vec<u64>> = std::collections::BTreeMap::new();
    for step in events.iter().filter_map(|event| event.get("steps")?.as_array()).flatten() {
        if let Some([name, time]) = step.as_array().map(Vec::as_slice) {
            times.entry(name.as_str().unwrap_or_default()).or_default().push(time.as_u64().unwrap_or_default());
        }
    }
    // The slowest twentieth waited for something else.
    let mean = |mut times: Vec<u64>| {
        times.sort_unstable();
        times.truncate((times.len() * 19).div_ceil(20));
        times.iter().sum::<u64>() as f64 / times.len() as f64 + 0.5
    };
    let line = |(name, times): (&str, Vec<u64>)| format!("step {name}: {:.1} µs (mean of {})", mean(times.clone()), times.len());
    Ok(times.into_iter().map(line).collect())
}

fn status(url: &str, header: Option<&str>) -> anyhow::Result<String> {
    let mut arguments = vec!["--silent", "--insecure", "--output", "/dev/null", "--write-out", "%{http_code}"];
    if let Some(header) = header {
        arguments.extend(["--header", header]);
    }
    arguments.push(url);
    output("curl", &arguments)
}

/// A certificate for peers, as `peer.crt` and `peer.key`.
pub(super) fn certificate(work: &Path) -> anyhow::Result<()> {
    let path = |name: &str| work.join(name).to_string_lossy().into_owned();
    let (key, certificate) = (path("peer.key"), path("peer.crt"));
    let subject = ["-subj", "/CN=localhost", "-days", "2"];
    let mut arguments =
        vec!["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", &key, "-out", &certificate];
    arguments.extend(subject);
    output("openssl", &arguments).map(drop)
}
