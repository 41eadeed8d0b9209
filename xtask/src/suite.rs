//! The one test command: installs what the tests need, runs everything, ends with one summary.

use std::process::Command;

use crate::stage::Stages;

/// What the tests drive, and the Debian package that has it: PostgreSQL, a browser, a proxy, and what other languages' clients need.
const PROGRAMS: [(&str, &str); 11] = [
    ("/usr/lib/postgresql/*/bin/initdb", "postgresql"),
    ("chromium", "chromium"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("javac", "default-jdk-headless"),
    ("mvn", "maven"),
    ("go", "golang-go"),
    ("nginx", "nginx-light"),
    ("haproxy", "haproxy"),
    ("curl", "curl"),
    ("openssl", "openssl"),
];

/// The fuzz targets, each run for a share of time here and in full by `soak`.
const FUZZ_TARGETS: [&str; 6] = ["jwt", "jwe", "path", "configuration", "http1", "proxy_protocol"];

/// `cargo xtask test`.
pub fn test() -> anyhow::Result<()> {
    run(&Share { fuzz_seconds: 60, kills: 25, slow_clients: 300 })
}

/// `cargo xtask soak`.
pub fn soak() -> anyhow::Result<()> {
    run(&Share { fuzz_seconds: 900, kills: 100, slow_clients: 4_000 })
}

/// How much of what could go on for ever.
struct Share {
    fuzz_seconds: u32,
    kills: u32,
    slow_clients: u32,
}

fn run(share: &Share) -> anyhow::Result<()> {
    let &Share { fuzz_seconds, kills, slow_clients } = share;
    let mut stages = Stages::default();
    if !stages.run("packages", &mut packages()) {
        return stages.finish();
    }
    stages.run("clients of other languages", Command::new("bash").arg("crates/app/tests/clients/install"));
    stages.run("format", Command::new("cargo").args(["fmt", "--all", "--check"]));
    stages.run("lints", Command::new("cargo").args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]));
    let mut tests = Command::new("cargo");
    tests.args(["test", "--workspace", "--no-fail-fast"]);
    tests.envs([("DURWARD_KILLS", kills), ("DURWARD_SLOW_CLIENTS", slow_clients)].map(|(name, count)| (name, count.to_string())));
    stages.run("tests", &mut tests);
    stages.run("checks", Command::new("cargo").args(["xtask", "check"]));
    for target in FUZZ_TARGETS {
        stages.run(&format!("fuzz {target}, {fuzz_seconds} s"), &mut fuzz(target, fuzz_seconds));
    }
    stages.finish()
}

/// Installs what is missing where that is possible; says what is missing where it is not.
fn packages() -> Command {
    let wanted: Vec<String> = PROGRAMS.iter().map(|(program, package)| format!("{program}:{package}")).collect();
    let script = r#"missing=()
for pair in "$@"; do
  program=${pair%%:*}; package=${pair##*:}
  command -v "$program" >/dev/null || compgen -G "$program" >/dev/null || missing+=("$package")
done
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} = 0 ]; then echo 'all there'; exit 0; fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then echo "install these first: ${missing[*]}"; exit 1; fi
apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null"#;
    let mut command = Command::new("bash");
    command.args(["-c", script, "packages"]).args(wanted);
    command
}

/// The targets are a workspace of their own, whose configuration instruments them for libFuzzer on a stable compiler.
fn fuzz(target: &str, seconds: u32) -> Command {
    // libFuzzer keeps what it finds in the first directory.
    let _ = std::fs::create_dir_all(format!("fuzz/corpus/{target}"));
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--bin", target, "--", "-timeout=5", "-verbosity=0"]);
    command.arg(format!("-max_total_time={seconds}"));
    command.args([format!("corpus/{target}"), format!("seeds/{target}")]);
    command.current_dir("fuzz");
    command
}
