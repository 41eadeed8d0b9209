//! `durward api-keys`: long-lived credentials of programs.

use std::io::BufRead as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use durward_base::{Duration, Timestamp};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::{Api, Connection, segment};
use super::audit::duration;
use super::output::{Output, table};

/// Look after API keys
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a key and print it once
    Issue {
        #[command(flatten)]
        wish: Wish,
    },
    /// List the keys that are good, without what is secret about them
    List {
        /// Those of one client
        #[arg(long)]
        client: Option<String>,
    },
    /// Make a key like another one, and let that one end
    Rotate {
        /// The key's id
        id: String,
        /// How long the old one is accepted still: 0s, or at least a minute
        #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = duration)]
        overlap: Duration,
    },
    /// End a key now, everywhere
    Revoke {
        /// The key's id
        id: String,
    },
    /// Take over keys that another system made, by their SHA-256
    Import {
        #[command(flatten)]
        wish: Wish,
        /// SHA-256 of a key in hexadecimal; `-` reads one a line
        #[arg(long, required = true, value_name = "HEX")]
        sha256: Vec<String>,
    },
}

/// What a key is worth.
#[derive(Debug, Args)]
struct Wish {
    /// Whose: a client with the grant `client_credentials`
    client: String,
    /// The service it is for
    #[arg(long = "for", value_name = "SERVICE")]
    service: String,
    /// Scopes of the service, separated by commas; all that the client may have when absent
    #[arg(long, value_delimiter = ',', value_name = "SCOPES")]
    scopes: Vec<String>,
    /// The routes it is good on, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "ROUTES")]
    routes: Vec<String>,
    /// The networks it may come from, as `192.0.2.0/24`, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "NETWORKS")]
    networks: Vec<String>,
    /// How many requests a minute it is good for, at each node
    #[arg(long, value_name = "NUMBER")]
    requests_per_minute: Option<u32>,
    /// How long it is good; until it is revoked when absent
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires: Option<Duration>,
    /// What it is for, in words
    #[arg(long, default_value = "")]
    note: String,
}

#[derive(Serialize, Deserialize)]
struct Shown {
    id: String,
    client: String,
    service: String,
    note: String,
    scopes: Vec<String>,
    #[serde(flatten)]
    limits: Value,
    taken_over: bool,
    created: Timestamp,
    expires: Option<Timestamp>,
    used: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// Runs `durward api-keys`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let api = connection.api().await?;
    match &arguments.verb {
        Verb::Issue { wish } => {
            let made: Shown = api.post("api-keys", &wish.body(None)).await?;
            output.print(&made, |made| made.key.clone().unwrap_or_default())?;
        }
        Verb::List { client } => list(&api, client.as_deref(), output).await?,
        Verb::Rotate { id, overlap } => {
            let path = format!("api-keys/{}/rotate", segment(id));
            let made: Shown = api.post(&path, &json!({ "overlap_seconds": overlap.as_secs() })).await?;
            output.print(&made, |made| made.key.clone().unwrap_or_default())?;
        }
        Verb::Revoke { id } => {
            api.send(Method::DELETE, &format!("api-keys/{}", segment(id)), None).await?;
            output.done("The key has ended.");
        }
        Verb::Import { wish, sha256 } => import(&api, wish, sha256, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(api: &Api, client: Option<&str>, output: Output) -> anyhow::Result<()> {
    let query: Vec<_> = client.into_iter().map(|client| ("client", client)).collect();
    let all: Vec<Shown> = api.get("api-keys", &query).await?;
    let time = |time: Option<Timestamp>| time.map_or_else(|| "never".to_owned(), |time| time.to_string());
    output.print(&all, |all| {
        let row = |key: &Shown| {
            let (client, service, note) = (key.client.clone(), key.service.clone(), key.note.clone());
            [key.id.clone(), client, service, key.scopes.join(" "), time(key.expires), time(key.used), note]
        };
        table(["ID", "CLIENT", "SERVICE", "SCOPES", "EXPIRES", "LAST USED", "NOTE"], all.iter().map(row))
    })
}

async fn import(api: &Api, wish: &Wish, sha256: &[String], output: Output) -> anyhow::Result<()> {
    let mut taken_over = Vec::new();
    for text in sha256 {
        let hashes = match text.as_str() {
            "-" => std::io::stdin().lock().lines().collect::<Result<Vec<_>, _>>()?,
            hash => vec![hash.to_owned()],
        };
        for hash in hashes.iter().map(|hash| hash.trim()).filter(|hash| !hash.is_empty()) {
            let made: Shown = api.post("api-keys", &wish.body(Some(hash))).await?;
            taken_over.push(made);
        }
    }
    output.print(&taken_over, |all| all.iter().map(|key| key.id.as_str()).collect::<Vec<_>>().join("\n"))
}

impl Wish {
    fn body(&self, sha256: Option<&str>) -> Value {
        let Self { client, service, scopes, routes, networks, requests_per_minute, expires, note } = self;
        json!({
            "client": client,
            "service": service,
            "note": note,
            "scopes": scopes,
            "routes": routes,
            "networks": networks,
            "requests_per_minute": requests_per_minute,
            "seconds": expires.map(|expires| expires.as_secs()),
            "sha256": sha256,
        })
    }
}
