//! `durward explain`: why a request was answered as it was.

use std::process::ExitCode;

use clap::Args;
use durward_base::{Duration, EventId};
use durward_node::machine;

use super::api::{Connection, segment};
use super::output::{Output, line};

/// Services hand in what they saw in batches, about one a second: a request older than this is told of whole.
const SETTLED: Duration = Duration::from_secs(2);

/// Say why a request was answered as it was, hop by hop
#[derive(Debug, Args)]
pub struct Arguments {
    /// The request's id, from the X-Request-Id of its answer
    id: String,
}

/// Runs `durward explain`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    settled(&arguments.id).await;
    let (api, path) = (connection.api().await?, format!("explain/{}", segment(&arguments.id)));
    match output {
        Output::Text => line(api.text(&path, &[("form", "text")]).await?.trim_end())?,
        Output::Json => output.print(&api.get::<serde_json::Value>(&path, &[]).await?, |_| String::new())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until a request that was just now is on record at every hop. Its id says when it was.
async fn settled(id: &str) {
    let Ok(id) = id.parse::<EventId>() else { return };
    let age = machine::clock().now().since(id.time());
    if let Some(wait) = SETTLED.checked_sub(age) {
        tokio::time::sleep(wait).await;
    }
}
