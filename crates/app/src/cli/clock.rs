//! `durward clock`: the authority's clock, when it jumped.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::api::Connection;
use super::output::Output;

/// Look after the authority's clock
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Take a clock that jumped for right as it stands; until then nothing is issued, expired or rotated
    Confirm,
}

#[derive(Serialize, Deserialize)]
struct Confirmed {
    jumped_by_milliseconds: Option<i64>,
}

/// Runs `durward clock`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let Verb::Confirm = arguments.verb;
    let confirmed: Confirmed = connection.api().await?.post("clock/confirm", &json!({})).await?;
    output.print(&confirmed, |confirmed| match confirmed.jumped_by_milliseconds {
        Some(by) => format!("confirmed: the clock had jumped by {} s\n", (by + by.signum() * 500) / 1000),
        None => "the clock had not jumped\n".to_owned(),
    })?;
    Ok(ExitCode::SUCCESS)
}
