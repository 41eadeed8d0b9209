//! `cargo metadata`, as far as the checks read it.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::Context as _;
use serde::Deserialize;

/// The workspace and everything it is built from.
#[derive(Deserialize)]
pub struct Metadata {
    /// All packages.
    pub packages: Vec<Package>,
    /// The resolved graph.
    pub resolve: Resolve,
}

/// One package.
#[derive(Deserialize)]
pub struct Package {
    /// Its id in the graph.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its licence expression.
    pub license: Option<String>,
    /// Where it comes from; none for our own.
    pub source: Option<String>,
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

/// The resolved graph.
#[derive(Deserialize)]
pub struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Metadata {
    /// Asks cargo.
    pub fn read() -> anyhow::Result<Self> {
        let version = Command::new("rustc").arg("-vV").output()?.stdout;
        let version = String::from_utf8_lossy(&version);
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
        let output = Command::new("cargo").args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host]).output()?;
        anyhow::ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).context("cargo metadata")
    }

    /// The packages that are built into `name`, without what only its tests use.
    pub fn built_into(&self, name: &str) -> Vec<&Package> {
        let packages: BTreeMap<&str, &Package> = self.packages.iter().map(|package| (package.id.as_str(), package)).collect();
        let nodes: BTreeMap<&str, &Node> = self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let mut reached: BTreeMap<&str, &Package> = BTreeMap::new();
        let mut open: Vec<&str> = self.packages.iter().filter(|package| package.name == name).map(|package| package.id.as_str()).collect();
        while let Some(id) = open.pop() {
            let (Some(package), Some(node)) = (packages.get(id), nodes.get(id)) else { continue };
            if reached.insert(id, package).is_none() {
                open.extend(
                    node.deps
                        .iter()
                        .filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev")))
                        .map(|edge| edge.pkg.as_str()),
                );
            }
        }
        reached.into_values().collect()
    }
}
