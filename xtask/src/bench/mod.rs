//! Benchmarks: every target once a round, ratios within a round, the median of all rounds. They never fail a build; `docs` writes what they
//! measured to docs/benchmarks.md, what falls short as plainly as what shines.

mod authority;
mod authzen;
mod documentation;
mod floor;
mod gateway;
mod load;
mod login;
mod person;
mod process;
mod proof;
mod report;
mod start;
mod token;

use std::path::PathBuf;

use clap::Subcommand;
pub use gateway::must_be_there;

use crate::release;

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
    /// The binary to measure; that of `cargo xtask release` where none is named.
    #[arg(long, global = true, default_value = release::BINARY)]
    binary: String,
    /// Writes commit, machine and raw rounds here.
    #[arg(long, global = true)]
    json: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Which {
    /// Every way through the gateway, each against a peer.
    Gateway {
        /// These cases alone, separated by commas.
        #[arg(long, value_delimiter = ',', value_name = "CASES")]
        only: Vec<String>,
    },
    /// Grants and introspection, each against its floor; `client_credentials` against oidc-provider.
    Token {
        /// These cases alone, separated by commas.
        #[arg(long, value_delimiter = ',', value_name = "CASES")]
        only: Vec<String>,
    },
    /// Logins against the bare rate of argon2id, and others' wait meanwhile.
    Login,
    /// A question to the policies over HTTP, at the gateway and at the authority.
    Authzen,
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
    /// The binary that is measured.
    pub binary: String,
}

/// Runs one.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let plan = Plan { rounds: arguments.rounds.max(1), seconds: arguments.seconds.max(1), binary: arguments.binary };
    let mut report = match arguments.which {
        Which::Gateway { only } => gateway::run(&plan, &only)?,
        Which::Token { only } => token::run(&plan, &only)?,
        Which::Login => login::run(&plan)?,
        Which::Authzen => authzen::run(&plan)?,
        Which::Start => start::run(&plan)?,
        Which::Docs => return documentation::write(),
    };
    if plan.binary != release::BINARY {
        report.notes.push("the binary was named by `--binary`, and need not be of this commit".to_owned());
    } else if let Some(why) = release::untrained() {
        report.notes.push(format!("the binary was built without training: {why}"));
    }
    report.print();
    if let Some(file) = &arguments.json {
        std::fs::write(file, serde_json::to_vec_pretty(&report)?)?;
    }
    Ok(())
}
