//! `durward config`: the settings of a process, checked and shown without starting it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::apply::joined;
use super::output::Output;
use crate::configuration::{Documents, Settings};

/// Check and show the settings of a process
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check a file of settings, and the resources it names, without starting anything
    Check {
        /// The file
        #[arg(short, long, value_name = "FILE", default_value = "durward.yaml")]
        config: PathBuf,
    },
    /// Print every value in force
    Show {
        /// The file; every default when absent
        #[arg(short, long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the JSON Schema of the settings
    Schema,
}

/// Runs `durward config`.
pub fn run(arguments: &Arguments, output: Output) -> anyhow::Result<ExitCode> {
    match &arguments.verb {
        Verb::Check { config } => {
            let settings = Settings::read(config)?;
            if let Some(resources) = &settings.resources {
                Documents::read(resources).map_err(joined)?;
            }
            output.done(&format!("{} is good.", config.display()));
        }
        Verb::Show { config } => {
            let settings = config.as_deref().map_or_else(|| Ok(Settings::default()), Settings::read)?;
            output.print(&settings, |settings| super::yaml::record(settings).unwrap_or_default())?;
        }
        Verb::Schema => println!("{}", serde_json::to_string_pretty(&schemars::schema_for!(Settings))?),
    }
    Ok(ExitCode::SUCCESS)
}
