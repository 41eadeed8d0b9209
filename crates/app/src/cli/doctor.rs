//! `durward doctor`: whether the authority that is reached is well, and what is wrong with it.

use std::process::ExitCode;

use clap::Args;
use durward_model::{Key, KeyState, KeyUse, Position};
use serde::{Deserialize, Serialize};

use super::api::Connection;
use super::output::Output;

/// Say whether the authority is well, and what is wrong with it; the exit status is 1 when something is
#[derive(Debug, Args)]
pub struct Arguments {}

#[derive(Serialize, Deserialize)]
struct Status {
    version: String,
    issuer: String,
    gateway: Option<String>,
    nodes: String,
    position: Option<Position>,
    problems: Vec<String>,
    journal: Journal,
}

#[derive(Serialize, Deserialize)]
struct Journal {
    size: u64,
    queued: usize,
    lost: u64,
    available: bool,
}

/// Runs `durward doctor`.
pub async fn run(_: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let api = connection.api().await?;
    let mut status: Status = api.get("status", &[]).await?;
    let keys: Vec<Key> = api.get("keys", &[]).await?;
    if status.version != env!("CARGO_PKG_VERSION") {
        status.problems.push(format!("the authority is version {}, this command line is {}", status.version, env!("CARGO_PKG_VERSION")));
    }
    if !status.journal.available {
        status.problems.push("the audit journal cannot be written: denials and changes are answered 503 until its disk is well".to_owned());
    }
    if status.journal.lost > 0 {
        status.problems.push(format!("{} audit events were lost since the start; gaps are on the record", status.journal.lost));
    }
    for state in [KeyState::Active, KeyState::Published] {
        let count = keys.iter().filter(|key| key.key_use == KeyUse::Token && key.state == state).count();
        if count < 2 {
            status.problems.push(format!("{count} signing keys are {state:?}, expected one each of ES256 and RS256").to_lowercase());
        }
    }
    output.print(&status, text)?;
    Ok(if status.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn text(status: &Status) -> String {
    let Status { version, issuer, gateway, nodes, position, problems, journal } = status;
    let position = position.map_or_else(|| "none yet".to_owned(), |at| format!("{}:{}", at.epoch, at.seq));
    let gateway = gateway.as_deref().unwrap_or("not running");
    let mut text = format!(
        "version   {version}\nissuer    {issuer}\ngateway   {gateway}\nnodes     {nodes}\nfeed      {position}\njournal   {} events, {} waiting\n\n",
        journal.size, journal.queued
    );
    match problems.as_slice() {
        [] => text.push_str("All is well.\n"),
        problems => problems.iter().for_each(|problem| text.push_str(&format!("! {problem}\n"))),
    }
    text
}
