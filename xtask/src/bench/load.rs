//! wrk as the load: 64 kept-alive connections from the other core.

use anyhow::Context as _;

use super::process::{LOAD, Process};

/// What one run of the load found.
pub struct Load {
    /// Requests answered.
    pub requests: f64,
    /// Requests by CPU-second of the process under measurement.
    pub per_cpu_second: f64,
    /// Answers other than 2xx and 3xx, and connections that broke off.
    pub refused: u64,
    /// Milliseconds within which 99 of 100 were answered; none without wrk's `--latency`.
    pub p99: Option<f64>,
}

/// Loads `process` for some seconds. `arguments` go to wrk before the URL, `script_arguments` behind it.
pub fn run(process: &Process, seconds: u32, arguments: &[&str], url: &str, script_arguments: &[&str]) -> anyhow::Result<Load> {
    let duration = format!("-d{seconds}s");
    let mut command = vec!["-c", LOAD, "wrk", "-t1", "-c64", &duration];
    command.extend(arguments);
    command.push(url);
    if !script_arguments.is_empty() {
        command.push("--");
        command.extend(script_arguments);
    }
    let before = process.cpu_seconds();
    let printed = super::process::output("taskset", &command)?;
    let used = process.cpu_seconds() - before;
    let requests = number(&printed, |line| line.trim().split_once(" requests in")).context("wrk printed no count")?;
    let refused =
        number(&printed, |line| line.trim().strip_prefix("Non-2xx or 3xx responses: ").map(|rest| (rest, ""))).unwrap_or_default();
    let broken = printed.lines().find_map(|line| line.trim().strip_prefix("Socket errors: "));
    let broken: u64 = broken.into_iter().flat_map(|counts| counts.split([' ', ','])).filter_map(|count| count.parse::<u64>().ok()).sum();
    let p99 = printed.lines().find_map(|line| milliseconds(line.trim().strip_prefix("99%")?.trim()));
    Ok(Load { requests, per_cpu_second: requests / used.max(0.01), refused: refused as u64 + broken, p99 })
}

/// wrk's `812.00us`, `1.25ms`, `2.01s`.
fn milliseconds(text: &str) -> Option<f64> {
    [("us", 0.001), ("ms", 1.0), ("s", 1000.0)]
        .into_iter()
        .find_map(|(unit, times)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * times))
}

fn number<'a>(text: &'a str, find: impl Fn(&'a str) -> Option<(&'a str, &'a str)>) -> Option<f64> {
    text.lines().find_map(find)?.0.trim().parse().ok()
}
