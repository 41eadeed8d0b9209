//! 100 reloads while requests are answered: a route, a policy and a certificate change each time, and no request fails.

use std::path::Path;
use std::time::{Duration, Instant};

use super::super::authority::Authority;
use super::super::process::output;
use super::resources;

/// How many reloads.
const RELOADS: u32 = 100;
/// What the log says of each.
const DONE: &str = "resources applied";

/// Reloads again and again, for so long at least. `directory` has the resources and the certificate.
pub fn again_and_again(durward: &Authority, directory: &Path, at_least: Duration) -> anyhow::Result<()> {
    for number in 0..RELOADS {
        let started = Instant::now();
        change(directory, number)?;
        let before = done(durward)?;
        output("kill", &["-HUP", &durward.process.id().to_string()])?;
        while done(durward)? == before {
            anyhow::ensure!(started.elapsed() < Duration::from_secs(20), "a reload was not taken in; see the log");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep((at_least / RELOADS).saturating_sub(started.elapsed()));
    }
    Ok(())
}

fn change(directory: &Path, number: u32) -> anyhow::Result<()> {
    let resources = directory.join("resources");
    let source = |file: &str| std::fs::read_to_string(Path::new(resources::SOURCE).join("resources").join(file));
    let staleness = format!("path: /16k\nmax_staleness_seconds: {}\n", 61 + number);
    std::fs::write(resources.join("shop.yaml"), source("shop.yaml")?.replace("path: /16k\n", &staleness))?;
    let condition = format!(") when {{ principal.id != \"nobody-{number}\" }};");
    std::fs::write(resources.join("reading.cedar"), source("reading.cedar")?.replace(");", &condition))?;
    super::self_signed(directory, "shop", "shop.example")
}

fn done(durward: &Authority) -> anyhow::Result<usize> {
    Ok(std::fs::read_to_string(durward.directory.join("serve.log"))?.matches(DONE).count())
}
