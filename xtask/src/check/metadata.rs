//! `cargo metadata`, as far as the checks read it.

use std::process::Command;

use anyhow::Context as _;
use serde::Deserialize;

/// The workspace.
#[derive(Deserialize)]
pub struct Metadata {
    /// All packages.
    pub packages: Vec<Package>,
}

/// One package.
#[derive(Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// What it declares to depend on.
    pub dependencies: Vec<Dependency>,
}

/// One declared dependency.
#[derive(Deserialize)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    /// `dev`, `build`, or none.
    pub kind: Option<String>,
}

impl Metadata {
    /// Asks cargo.
    pub fn read() -> anyhow::Result<Self> {
        let output = Command::new("cargo").args(["metadata", "--format-version", "1", "--locked", "--no-deps"]).output()?;
        anyhow::ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).context("cargo metadata")
    }
}
