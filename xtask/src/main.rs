//! The checks, tests and benchmarks that the machine runs, and the binary that is released: `cargo xtask check | test | soak | bench | release`.

mod bench;
mod check;
mod command;
mod release;
mod stage;
mod suite;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "xtask", about = "Durward's checks, tests and benchmarks")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything a reader would otherwise have to check by eye.
    Check,
    /// Installs what tests need, then runs all of them; ends with one summary.
    Test,
    /// The long loops in full: kills, thousands of slow clients, fuzzing.
    Soak,
    /// Measures against a peer or a floor in the same run.
    Bench(bench::Arguments),
    /// Builds the binary that is released, trained by the benchmarks' requests, as target/released/durward.
    Release,
}

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(std::path::Path::new("."));
    std::env::set_current_dir(root)?;
    match Arguments::parse().command {
        Command::Check => check::run(),
        Command::Test => suite::test(),
        Command::Soak => suite::soak(),
        Command::Bench(arguments) => bench::run(arguments),
        Command::Release => release::build(),
    }
}
