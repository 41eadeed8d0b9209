//! `durward sessions`: people's logins.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use durward_model::{Family, Session};
use http::Method;
use serde::{Deserialize, Serialize};

use super::api::{Api, Connection, segment};
use super::output::{Output, table};

/// Look after people's logins
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List a person's logins
    List {
        /// Their username
        name: String,
    },
    /// End one login, or all of a person's
    End {
        /// The login's id
        #[arg(required_unless_present = "person", conflicts_with = "person")]
        id: Option<String>,
        /// The person whose logins all end
        #[arg(long, value_name = "NAME")]
        person: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
struct Login {
    #[serde(flatten)]
    session: Session,
    families: Vec<Family>,
}

/// Runs `durward sessions`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let api = connection.api().await?;
    match &arguments.verb {
        Verb::List { name } => list(&api, name, output).await?,
        Verb::End { id: Some(id), .. } => {
            api.send(Method::DELETE, &format!("sessions/{}", segment(id)), None).await?;
            output.done("The login has ended.");
        }
        Verb::End { id: None, person } => {
            let name = person.as_deref().unwrap_or_default();
            api.send(Method::DELETE, &format!("people/{}/sessions", segment(name)), None).await?;
            output.done(&format!("All logins of {name} have ended."));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists a person's logins.
pub(super) async fn list(api: &Api, name: &str, output: Output) -> anyhow::Result<()> {
    let logins: Vec<Login> = api.get(&format!("people/{}/sessions", segment(name)), &[]).await?;
    output.print(&logins, |logins| table(["ID", "SINCE", "UNTIL", "ADDRESS", "CLIENTS"], logins.iter().map(row)))
}

fn row(login: &Login) -> [String; 5] {
    let Session { id, created, expires, address, .. } = &login.session;
    let live = login.families.iter().filter(|family| family.revoked.is_none());
    let clients: Vec<&str> = live.map(|family| family.client_name.as_str()).collect();
    [id.to_string(), created.to_string(), expires.to_string(), address.clone().unwrap_or_default(), clients.join(" ")]
}
