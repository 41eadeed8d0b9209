//! The binary as it is released: built once to be watched, driven through the ways in and the grants, and built anew along what it did then.
//! A request runs through many small functions and none that is hot; laid out along the way that requests take, they are a tenth faster.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

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

/// Builds it. Without a tool that reads what the watched one did, it is built like any other, and this says so.
///
/// # Errors
/// What could not be built or driven.
pub fn build() -> anyhow::Result<()> {
    let host = host()?;
    let Some(tool) = profile_tool(&host)? else {
        println!("# built without training, which a tenth of the speed is owed to: there is no llvm-profdata of LLVM 19 or later;");
        println!("# `rustup component add llvm-tools` adds one, and so does Debian's package llvm-19");
        return leave(&cargo(&host, "untrained", None)?);
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

/// Whether what `build` leaves is trained.
///
/// # Errors
/// The toolchain cannot be asked.
pub fn is_trained() -> anyhow::Result<bool> {
    Ok(profile_tool(&host()?)?.is_some())
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

/// The toolchain's own tool, or the system's.
fn profile_tool(host: &str) -> anyhow::Result<Option<PathBuf>> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let own = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/llvm-profdata");
    let known = (19..=30).rev().map(|version| PathBuf::from(format!("llvm-profdata-{version}")));
    let works = |tool: &PathBuf| Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    Ok([own].into_iter().chain(known).find(works))
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

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    anyhow::ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
