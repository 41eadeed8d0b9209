//! `durward explain`: why a request was answered as it was.

use std::process::ExitCode;

use clap::Args;

use super::api::{Connection, segment};
use super::output::{Output, line};

/// Say why a request was answered as it was, hop by hop
#[derive(Debug, Args)]
pub struct Arguments {
    /// The request's id, from the X-Request-Id of its answer
    id: String,
}

/// Runs `durward explain`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let (api, path) = (connection.api().await?, format!("explain/{}", segment(&arguments.id)));
    match output {
        Output::Text => line(api.text(&path, &[("form", "text")]).await?.trim_end())?,
        Output::Json => output.print(&api.get::<serde_json::Value>(&path, &[]).await?, |_| String::new())?,
    }
    Ok(ExitCode::SUCCESS)
}
