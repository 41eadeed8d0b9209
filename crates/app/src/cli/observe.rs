//! `durward observe`: who would break if routes that only observe were to enforce.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use durward_base::{Duration, Timestamp};
use durward_model::Event;
use durward_node::machine;
use serde::{Deserialize, Serialize};

use super::api::Connection;
use super::audit::duration;
use super::output::{Output, table};

/// The most pages of events that a report is made of, of 200 events each.
const PAGES: usize = 500;

/// Find out who would break before a route enforces
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the callers that observing routes let through and enforcing ones would not, with what each would need
    Report {
        /// The last while: 30s, 15m, 2h, 7d
        #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = duration)]
        since: Duration,
        /// Only this route
        #[arg(long, value_name = "NAME")]
        route: Option<String>,
    },
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Event>,
    next: Option<String>,
}

/// Who would be refused where, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    route: String,
    caller: String,
    reason: String,
    needs: String,
}

/// One line of the report.
#[derive(Debug, Serialize)]
struct Line {
    route: String,
    /// Who asked; the address where that is not known.
    caller: String,
    /// Why it would be refused, as a stable code.
    reason: String,
    /// What it would need.
    needs: String,
    requests: u64,
    last: Timestamp,
}

/// Runs `durward observe`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let Verb::Report { since, route } = &arguments.verb;
    let api = connection.api().await?;
    let since = (machine::clock().now() - *since).millis().to_string();
    let mut counted: BTreeMap<Key, (u64, Timestamp)> = BTreeMap::new();
    let mut before: Option<String> = None;
    for _ in 0..PAGES {
        let mut query = vec![("since", since.as_str()), ("outcome", "would_deny"), ("page_size", "200")];
        query.extend(before.as_deref().map(|before| ("before", before)));
        let page: Page = api.get("audit", &query).await?;
        for event in &page.items {
            let key = key(event);
            if route.as_ref().is_none_or(|route| *route == key.route) {
                let (requests, last) = counted.entry(key).or_insert((0, event.time));
                *requests += 1;
                *last = (*last).max(event.time);
            }
        }
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let lines = counted.into_iter().map(|(Key { route, caller, reason, needs }, (requests, last))| Line {
        route,
        caller,
        reason,
        needs,
        requests,
        last,
    });
    let lines: Vec<Line> = lines.collect();
    output.print(&lines, |lines| match lines.is_empty() {
        true => "Nobody would break: every request that observing routes let through would pass.".to_owned(),
        false => table(["ROUTE", "CALLER", "REASON", "NEEDS", "REQUESTS", "LAST"], lines.iter().map(row)),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn key(event: &Event) -> Key {
    let request = event.request.as_ref();
    let address = || request.and_then(|request| request.address.as_ref()).map(|address| format!("unknown at {address}"));
    let caller = event.caller.as_ref().map(|caller| format!("{} {}", caller.kind.name(), caller.id));
    Key {
        route: request.and_then(|request| request.route.as_deref()).unwrap_or_default().to_owned(),
        caller: caller.or_else(address).unwrap_or_default(),
        reason: event.reason.clone().unwrap_or_default(),
        needs: event.detail.clone().unwrap_or_default(),
    }
}

fn row(line: &Line) -> [String; 6] {
    let Line { route, caller, reason, needs, requests, last } = line;
    [route.clone(), caller.clone(), reason.clone(), needs.clone(), requests.to_string(), last.to_string()]
}
