//! A release-built Durward under measurement, with its resources applied.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Plan;
use super::process::{MEASURED, Process, output};
use crate::release;

/// A running `durward serve`, pinned to the measured core.
pub struct Authority {
    /// The process.
    pub process: Process,
    /// Its directory.
    pub directory: PathBuf,
    binary: String,
}

/// Ports no other process here is likely to have.
pub const GATEWAY: u16 = 28_443;
/// The authority's.
pub const AUTHORITY: u16 = 28_444;
/// The operations listener's.
const OPERATIONS: u16 = 28_445;
/// The nodes'.
const NODES: u16 = 28_446;

/// Builds the binary that is released, unless one is named.
pub fn build(plan: &Plan) -> anyhow::Result<()> {
    if plan.binary == release::BINARY { release::build() } else { Ok(()) }
}

impl Authority {
    /// Starts one on a directory; `resources` are applied when it is ready.
    pub fn start(plan: &Plan, directory: &Path, resources: Option<&Path>) -> anyhow::Result<Self> {
        let authority = Self::configured(plan, directory, "telemetry: {log: warn}\n")?;
        if let Some(resources) = resources {
            authority.command(&["apply", "-f", &resources.to_string_lossy()])?;
        }
        Ok(authority)
    }

    /// Starts one on a directory, with further settings. Lines that begin with two spaces come first: they are further listeners.
    pub fn configured(plan: &Plan, directory: &Path, settings: &str) -> anyhow::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let configuration = directory.join("durward.yaml");
        std::fs::write(
            &configuration,
            format!(
                "data: data\nlisten:\n  gateway: 127.0.0.1:{GATEWAY}\n  authority: 127.0.0.1:{AUTHORITY}\n  operations: 127.0.0.1:{OPERATIONS}\n  nodes: 127.0.0.1:{NODES}\n{settings}"
            ),
        )?;
        let path = configuration.to_string_lossy().into_owned();
        let process = Process::start(MEASURED, &plan.binary, &["serve", "--config", &path], &directory.join("serve.log"))?;
        let authority = Self { process, directory: directory.to_owned(), binary: plan.binary.clone() };
        authority.ready()?;
        Ok(authority)
    }

    /// Runs a verb against it and gives what it printed.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let data = self.directory.join("data").to_string_lossy().into_owned();
        let mut all = arguments.to_vec();
        all.extend(["--data", &data]);
        output(&self.binary, &all)
    }

    fn ready(&self) -> anyhow::Result<()> {
        let url = format!("http://127.0.0.1:{OPERATIONS}/readyz");
        let deadline = Instant::now() + Duration::from_secs(20);
        while output("curl", &["--silent", "--fail", &url]).is_err() {
            anyhow::ensure!(Instant::now() < deadline, "it does not get ready; see {}", self.directory.join("serve.log").display());
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}
