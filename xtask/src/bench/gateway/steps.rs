//! What each step of a request takes, by the audit record.

use anyhow::Context as _;

use super::super::authority::Authority;

/// The microseconds of each step, from the audit record of the last requests. The record has whole ones, rounded down: half of one is
/// added, and the mean of many is exact to less than one.
pub fn of(durward: &Authority) -> anyhow::Result<Vec<String>> {
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
