//! `durward audit`: the record of every request and change.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use durward_base::{Duration, Timestamp};
use durward_model::{Event, Outcome};
use serde::{Deserialize, Serialize};

use super::api::Connection;
use super::output::{Output, table};
use durward_node::machine;

/// Read the record of every request and change
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List events, newest first
    List {
        /// Only the last while: 30s, 15m, 2h, 7d
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        since: Option<Duration>,
        /// Only this kind, as in `token.issued`
        #[arg(long)]
        kind: Option<String>,
        /// Only those that ended so
        #[arg(long, value_enum)]
        outcome: Option<Ended>,
        /// Only what this person did, or what was done for them
        #[arg(long, value_name = "NAME")]
        person: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
        limit: u16,
    },
    /// Recompute the hash tree over the record and compare it with its signed checkpoints
    Verify,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Ended {
    /// Allowed and done
    Allowed,
    /// Refused
    Denied,
    /// Not decided or not done: 5xx
    Failed,
    /// Something was changed
    Changed,
    /// Let through by a route that only observes
    WouldDeny,
}

impl Ended {
    const fn outcome(self) -> Outcome {
        match self {
            Self::Allowed => Outcome::Allowed,
            Self::Denied => Outcome::Denied,
            Self::Failed => Outcome::Failed,
            Self::Changed => Outcome::Changed,
            Self::WouldDeny => Outcome::WouldDeny,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Page {
    items: Vec<Event>,
    next: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Verification {
    size: u64,
    root: String,
    checkpoints: usize,
    lost: u64,
}

/// Runs `durward audit`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let api = connection.api().await?;
    match &arguments.verb {
        Verb::List { since, kind, outcome, person, limit } => {
            let since = since.map(|since| (machine::clock().now() - since).millis().to_string());
            let (limit, outcome) = (limit.to_string(), outcome.map(|ended| ended.outcome().name()));
            let mut query = vec![("page_size", limit.as_str())];
            let named = [("since", since.as_deref()), ("kind", kind.as_deref()), ("outcome", outcome), ("person", person.as_deref())];
            query.extend(named.into_iter().filter_map(|(name, value)| Some((name, value?))));
            let page: Page = api.get("audit", &query).await?;
            output.print(&page, |page| table(["TIME", "ID", "NODE", "KIND", "ENDED", "WHO", "WHAT"], page.items.iter().map(row)))?;
        }
        Verb::Verify => {
            let verified: Verification = api.get("audit/verify", &[]).await?;
            output.print(&verified, |verified| {
                let Verification { size, root, checkpoints, lost } = verified;
                format!("{size} events stand where {checkpoints} signed checkpoints say; {lost} are declared lost; root {root}")
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(event: &Event) -> [String; 7] {
    let ended = event.outcome.name();
    let what = event.target.clone().or_else(|| {
        event.request.as_ref().map(|request| match &request.address {
            Some(address) if request.method.is_empty() => format!("from {address}"),
            _ => format!("{} {}", request.method, request.path),
        })
    });
    [
        Timestamp::to_string(&event.time),
        event.id.to_string(),
        event.node.to_string(),
        event.kind.name().to_owned(),
        event.reason.as_ref().map_or(ended.to_owned(), |reason| format!("{ended}: {reason}")),
        event.caller.as_ref().map(|caller| caller.id.clone()).unwrap_or_default(),
        what.unwrap_or_default(),
    ]
}

/// `30s`, `15m`, `2h` or `7d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a number and a unit: 30s, 15m, 2h, 7d".to_owned();
    let (unit, number) = text.char_indices().next_back().and_then(|(at, unit)| Some((unit, text.get(..at)?))).ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}
