//! `durward clients`: which there are, and secrets of theirs that are made here instead of being declared.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use durward_base::{Duration, Timestamp};
use durward_model::resource::Client;
use durward_model::{Resource, ResourceKind, Stored};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::api::{Api, Connection, segment};
use super::audit::duration;
use super::output::{Output, table};
use super::{plural, registration_tokens};

/// Look after clients
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the clients, those that registered themselves too
    List,
    /// Look after a client's secrets
    #[command(subcommand)]
    Secret(SecretVerb),
    /// Look after what lets others register clients
    #[command(subcommand)]
    RegistrationToken(registration_tokens::Verb),
}

#[derive(Debug, Subcommand)]
enum SecretVerb {
    /// Make a new secret and print it once
    Add {
        /// The client
        client: String,
        /// How long those before it are accepted still
        #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = duration)]
        overlap: Duration,
    },
    /// List a client's secrets, without what is secret about them
    List {
        /// The client
        client: String,
    },
    /// End a secret now
    Expire {
        /// The client
        client: String,
        /// The secret's id
        id: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Shown {
    id: String,
    created: Timestamp,
    expires: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// Runs `durward clients`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let api = connection.api().await?;
    match &arguments.verb {
        Verb::List => list(&api, output).await?,
        Verb::Secret(verb) => secret(verb, &api, output).await?,
        Verb::RegistrationToken(verb) => registration_tokens::run(verb, &api, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(api: &Api, output: Output) -> anyhow::Result<()> {
    let stored: Vec<Stored> = api.list(plural(ResourceKind::Client)).await?;
    let clients: Vec<Client> = stored.into_iter().filter_map(|stored| client(stored.resource)).collect();
    output.print(&clients, |clients| table(["NAME", "TITLE", "AUTHENTICATION", "SERVICES", "RUNS", "STATE"], clients.iter().map(row)))
}

fn client(resource: Resource) -> Option<Client> {
    if let Resource::Client(client) = resource { Some(client) } else { None }
}

fn row(client: &Client) -> [String; 6] {
    let state = [(client.disabled, "disabled"), (!client.origin.is_declared(), "registered itself")];
    let state: Vec<_> = state.into_iter().filter_map(|(is, word)| is.then_some(word)).collect();
    let (title, runs) = (client.title.clone().unwrap_or_default(), client.runs.clone().unwrap_or_default());
    [client.name.clone(), title, client.authentication.name().to_owned(), client.services.join(" "), runs, state.join(", ")]
}

async fn secret(verb: &SecretVerb, api: &Api, output: Output) -> anyhow::Result<()> {
    let secrets = |client: &str| format!("clients/{}/secrets", segment(client));
    match verb {
        SecretVerb::Add { client, overlap } => {
            let made: Shown = api.post(&secrets(client), &json!({ "overlap_seconds": overlap.as_secs() })).await?;
            output.print(&made, |made| made.secret.clone().unwrap_or_default())?;
        }
        SecretVerb::List { client } => {
            let all: Vec<Shown> = api.get(&secrets(client), &[]).await?;
            let until = |end: Option<Timestamp>| end.map_or_else(String::new, |end| end.to_string());
            output.print(&all, |all| {
                table(
                    ["ID", "CREATED", "EXPIRES"],
                    all.iter().map(|secret| [secret.id.clone(), secret.created.to_string(), until(secret.expires)]),
                )
            })?;
        }
        SecretVerb::Expire { client, id } => {
            api.send(Method::DELETE, &format!("{}/{}", secrets(client), segment(id)), None).await?;
            output.done("The secret has ended.");
        }
    }
    Ok(())
}
