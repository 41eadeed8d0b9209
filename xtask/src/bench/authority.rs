//! A release-built Durward under measurement, with its resources applied.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::process::{MEASURED, Process, output};

/// A running `durward serve`, pinned to the measured core.
pub struct Authority {
    /// The process.
    pub process: Process,
    /// Its directory.
    pub directory: PathBuf,
}

/// The binary that is measured.
pub const BINARY: &str = "target/release/durward";
/// Ports no other process here is likely to have.
pub const GATEWAY: u16 = 28_443;
/// The authority's.
pub const AUTHORITY: u16 = 28_444;
/// The operations listener's.
const OPERATIONS: u16 = 28_445;
/// The nodes'.
const NODES: u16 = 28_446;

/// Builds the release binary.
pub fn build() -> anyhow::Result<()> {
    println!("# building the release binary");
    output("cargo", &["build", "--release", "--quiet", "--package", "durward-app"]).map(drop)
}

impl Authority {
    /// Starts one on a directory; `resources` are applied when it is ready.
    pub fn start(directory: &Path, resources: Option<&Path>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let configuration = directory.join("durward.yaml");
        std::fs::write(
            &configuration,
            format!(
                "data: data\ntelemetry: {{log: warn}}\nlisten:\n  gateway: 127.0.0.1:{GATEWAY}\n  authority: 127.0.0.1:{AUTHORITY}\n  operations: 127.0.0.1:{OPERATIONS}\n  nodes: 127.0.0.1:{NODES}\n"
            ),
        )?;
        let path = configuration.to_string_lossy().into_owned();
        let process = Process::start(MEASURED, BINARY, &["serve", "--config", &path], &directory.join("serve.log"))?;
        let authority = Self { process, directory: directory.to_owned() };
        authority.ready()?;
        if let Some(resources) = resources {
            authority.command(&["apply", "-f", &resources.to_string_lossy()])?;
        }
        Ok(authority)
    }

    /// Runs a verb against it and gives what it printed.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let data = self.directory.join("data").to_string_lossy().into_owned();
        let mut all = arguments.to_vec();
        all.extend(["--data", &data]);
        output(BINARY, &all)
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
