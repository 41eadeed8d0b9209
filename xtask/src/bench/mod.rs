//! Benchmarks: every target once a round, ratios within a round, the median of all rounds. They never fail a build; `docs` writes what they
//! measured to docs/benchmarks.md, what falls short as plainly as what shines.

mod authority;
mod documentation;
mod gateway;
mod load;
mod process;
mod report;
mod start;
mod token;

use std::path::PathBuf;

use clap::Subcommand;

/// Which benchmark, how long, and where its raw rounds go.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    which: Which,
    /// Rounds; the median and the range of their ratios are printed.
    #[arg(long, default_value_t = 5, global = true)]
    rounds: usize,
    /// Seconds a target and round.
    #[arg(long, default_value_t = 4, global = true)]
    seconds: u32,
    /// Writes commit, machine and raw rounds here.
    #[arg(long, global = true)]
    json: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Which {
    /// A request through the gateway against nginx over TLS without authentication.
    Gateway,
    /// `client_credentials` against the bare rate of ES256 signatures.
    Token,
    /// Exec to the first token, and idle memory.
    Start,
    /// Writes docs/benchmarks.md from bench/results.
    Docs,
}

/// How a benchmark runs.
pub struct Plan {
    /// Rounds.
    pub rounds: usize,
    /// Seconds a target and round.
    pub seconds: u32,
}

/// Runs one.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let plan = Plan { rounds: arguments.rounds.max(1), seconds: arguments.seconds.max(1) };
    let report = match arguments.which {
        Which::Gateway => gateway::run(&plan)?,
        Which::Token => token::run(&plan)?,
        Which::Start => start::run(&plan)?,
        Which::Docs => return documentation::write(),
    };
    report.print();
    if let Some(file) = &arguments.json {
        std::fs::write(file, serde_json::to_vec_pretty(&report)?)?;
    }
    Ok(())
}
