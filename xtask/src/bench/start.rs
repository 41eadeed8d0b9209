//! From exec to the first token on an existing data directory, and memory when idle.

use std::time::{Duration, Instant};

use super::authority::{self, AUTHORITY, Authority};
use super::process::{MEASURED, Process, output};
use super::report::{Case, Report};
use super::{Plan, gateway};

/// Runs it.
pub fn run(plan: &Plan) -> anyhow::Result<Report> {
    authority::build(plan)?;
    let directory = tempfile::tempdir()?;
    let work = directory.path();
    drop(Authority::start(plan, work, Some(&gateway::resources(&work.join("declared"))?))?);
    let secret = std::fs::read_to_string("bench/gateway/secret")?;
    let credentials = format!("bench:{}", secret.trim());
    let url = format!("https://127.0.0.1:{AUTHORITY}/realms/main/oauth2/token");
    let token = ["--silent", "--insecure", "--fail", "--user", &credentials, "--data", "grant_type=client_credentials", &url];
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for round in 1..=plan.rounds {
        let started = Instant::now();
        let configuration = work.join("durward.yaml").to_string_lossy().into_owned();
        let process = Process::start(MEASURED, &plan.binary, &["serve", "--config", &configuration], &work.join("serve.log"))?;
        while output("curl", &token).is_err() {
            anyhow::ensure!(started.elapsed() < Duration::from_secs(20), "no token after 20 s");
            std::thread::sleep(Duration::from_millis(2));
        }
        let first = started.elapsed().as_secs_f64() * 1000.0;
        std::thread::sleep(Duration::from_secs(2));
        println!("# round {round}: first token after {first:.0} ms, idle at {:.1} MiB", process.resident_mib());
        times.push((first, 100.0));
        memory.push((process.resident_mib(), 40.0));
    }
    let mut report = Report::new("start", "first-token");
    let case = |name: &str, peer: &str, unit: &str, rounds| Case {
        name: name.to_owned(),
        peer: peer.to_owned(),
        unit: unit.to_owned(),
        goal: 1.0,
        at_most: true,
        rounds,
    };
    report.cases.push(case("first-token", "100 ms", "ms", times));
    report.cases.push(case("idle-memory", "40 MiB", "MiB", memory));
    report.notes.push("the first token's time includes starting curl, a few milliseconds a try".to_owned());
    Ok(report)
}
