//! The one test command: installs what the tests need, runs everything, ends with one summary.

use std::process::Command;

use crate::stage::Stages;

/// Debian packages the tests drive: PostgreSQL, a browser, and what other languages' clients need.
const PACKAGES: [&str; 5] = ["postgresql", "chromium", "nodejs", "npm", "python3-venv"];

/// The fuzz targets, each run for a share of time here and in full by `soak`.
const FUZZ_TARGETS: [&str; 3] = ["jwt", "path", "configuration"];

/// Coverage for libFuzzer on a stable compiler.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table";

/// `cargo xtask test`.
pub fn test() -> anyhow::Result<()> {
    run(60, 25)
}

/// `cargo xtask soak`.
pub fn soak() -> anyhow::Result<()> {
    run(900, 100)
}

fn run(fuzz_seconds: u32, kills: u32) -> anyhow::Result<()> {
    let mut stages = Stages::default();
    if !stages.run("packages", &mut packages()) {
        return stages.finish();
    }
    stages.run("clients of other languages", Command::new("bash").arg("crates/app/tests/clients/install"));
    stages.run("format", Command::new("cargo").args(["fmt", "--all", "--check"]));
    stages.run("lints", Command::new("cargo").args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]));
    stages.run("tests", Command::new("cargo").args(["test", "--workspace", "--no-fail-fast"]).env("DURWARD_KILLS", kills.to_string()));
    stages.run("checks", Command::new("cargo").args(["xtask", "check"]));
    for target in FUZZ_TARGETS {
        stages.run(&format!("fuzz {target}, {fuzz_seconds} s"), &mut fuzz(target, fuzz_seconds));
    }
    stages.finish()
}

/// Installs what is missing where that is possible; says what is missing where it is not.
fn packages() -> Command {
    let script = format!(
        r#"missing=(); for package in {}; do dpkg-query -W -f '${{Status}}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package"); done
command -v node >/dev/null && command -v npm >/dev/null && missing=("${{missing[@]/nodejs}}") && missing=("${{missing[@]/npm}}")
missing=(${{missing[*]}})
[ ${{#missing[@]}} = 0 ] && echo 'all there' && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then echo "install these first: ${{missing[*]}}"; exit 1; fi
apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${{missing[@]}}" >/dev/null"#,
        PACKAGES.join(" ")
    );
    let mut command = Command::new("bash");
    command.args(["-c", &script]);
    command
}

fn fuzz(target: &str, seconds: u32) -> Command {
    let mut command = Command::new("cargo");
    command
        .args(["run", "--release", "--quiet", "--manifest-path", "fuzz/Cargo.toml", "--bin", target, "--"])
        .args([format!("-max_total_time={seconds}"), "-max_len=20000".to_owned(), "-timeout=5".to_owned(), "-verbosity=0".to_owned()])
        .args([format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}")])
        .env("RUSTFLAGS", COVERAGE)
        .env("CARGO_TARGET_DIR", "fuzz/target");
    // libFuzzer keeps what it finds in the first directory.
    let _ = std::fs::create_dir_all(format!("fuzz/corpus/{target}"));
    command
}
