//! The binary as it is released: built once to be watched, driven through the ways in and the grants, and built anew along what it did then.
//! A request runs through many small functions and none that is hot; laid out along the way that requests take, they are a tenth faster.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::bench;
use crate::command::output;

/// Where it is left.
pub const BINARY: &str = "target/released/durward";
/// What else it takes stands beside it.
const DIRECTORY: &str = "target/released";
/// What it is driven through.
const TRAINING: [&[&str]; 3] = [
    &[
        "gateway",
        "--only",
        "tls-jwt-100-policies,tls-jwt-context,plain-behind-a-front,new-tokens,api-key,basic,client-certificate,browser-session,answers-of-16-kib,new-mutual-tls",
    ],
    &["token", "--only", "client-credentials-es256,client-credentials-dpop,refresh-rotating,token-exchange,introspection,par"],
    &["login"],
];

/// Builds it. Where it cannot be trained, it is built like any other, and this says so.
///
/// # Errors
/// What could not be built or driven.
pub fn build() -> anyhow::Result<()> {
    let host = host()?;
    let tool = match profile_tool(&host) {
        Ok(tool) => tool,
        Err(why) => {
            println!("# built without training, to which it owes a tenth of its speed: {why}");
            return leave(&cargo(&host, "untrained", None)?);
        }
    };
    println!("# building the binary that is watched");
    let directory = std::path::absolute(DIRECTORY)?;
    let raw = directory.join("raw");
    let watched = cargo(&host, "watched", Some(format!("-Cprofile-generate={}", raw.display())))?;
    let profile = directory.join(format!("{:016x}.profdata", digest(&watched)?));
    if !profile.exists() {
        train(&watched, &raw)?;
        output(Command::new(tool).args(["merge", "-o"]).arg(&profile).arg(&raw))?;
    }
    println!("# building the binary that is released");
    leave(&cargo(&host, "trained", Some(format!("-Cprofile-use={}", profile.display())))?)
}

/// Why what `build` leaves is not trained, where it is not.
pub fn untrained() -> Option<String> {
    host().and_then(|host| profile_tool(&host)).err().map(|why| why.to_string())
}

fn host() -> anyhow::Result<String> {
    output(Command::new("rustc").args(["--print", "host-tuple"]))
}

/// Builds with these flags, which build scripts do not get, and gives the binary. Each kind has its directory: what differs by such flags alone
/// would take the other's place.
fn cargo(host: &str, kind: &str, flags: Option<String>) -> anyhow::Result<PathBuf> {
    let directory = Path::new(DIRECTORY).join(kind);
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--quiet", "--package", "durward-app", "--target", host, "--target-dir"]).arg(&directory);
    output(cargo.env("RUSTFLAGS", flags.unwrap_or_default()))?;
    Ok(directory.join(host).join("release/durward"))
}

/// Drives a watched binary, in processes of their own: a load pins itself to a core.
fn train(watched: &Path, raw: &Path) -> anyhow::Result<()> {
    // What earlier builds did is not what this one does.
    std::fs::create_dir_all(raw)?;
    std::fs::remove_dir_all(raw)?;
    for benchmark in TRAINING {
        println!("# driving it: {}", benchmark.first().unwrap_or(&""));
        let short = ["--rounds", "1", "--seconds", "1", "--binary"];
        output(Command::new(std::env::current_exe()?).arg("bench").args(benchmark).args(short).arg(watched))?;
    }
    Ok(())
}

/// What makes a profile of what a watched binary did: the toolchain's own tool, or the system's. Fails where that, or what drives the binary, is
/// not installed.
fn profile_tool(host: &str) -> anyhow::Result<PathBuf> {
    bench::must_be_there()?;
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let own = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/llvm-profdata");
    let known = (19..=30).rev().map(|version| PathBuf::from(format!("llvm-profdata-{version}")));
    let works = |tool: &PathBuf| Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    let lacking =
        "llvm-profdata of LLVM 19 or later is not installed; `rustup component add llvm-tools` or Debian's package llvm-19 brings it";
    [own].into_iter().chain(known).find(works).context(lacking)
}

fn digest(file: &Path) -> anyhow::Result<u64> {
    let mut hasher = DefaultHasher::new();
    std::fs::read(file)?.hash(&mut hasher);
    Ok(hasher.finish())
}

/// Puts it where it is looked for.
fn leave(built: &Path) -> anyhow::Result<()> {
    // One that runs keeps its file.
    let new = Path::new(BINARY).with_extension("new");
    std::fs::copy(built, &new)?;
    Ok(std::fs::rename(new, BINARY)?)
}
