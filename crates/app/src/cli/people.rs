//! `durward people`: who may log in.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use durward_base::Secret;
use durward_model::Person;
use http::Method;
use serde_json::json;

use super::api::{Connection, secret_file, segment};
use super::output::{Output, table};
use super::sessions;

/// Look after the people of the realm
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the people
    List,
    /// Disable a person: their logins end, their tokens are dead within a second
    Disable {
        /// Their username
        name: String,
    },
    /// Let a disabled person log in again
    Enable {
        /// Their username
        name: String,
    },
    /// Set a person's password; their logins end
    SetPassword {
        /// Their username
        name: String,
        /// The file that holds it; asked for when absent
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Remove a person's second factor, when they have lost it and their recovery codes; their logins end
    ResetMfa {
        /// Their username
        name: String,
    },
    /// List a person's logins
    Sessions {
        /// Their username
        name: String,
    },
}

/// Runs `durward people`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let api = connection.api().await?;
    let of = |name: &str, what: &str| format!("people/{}/{what}", segment(name));
    match &arguments.verb {
        Verb::List => {
            let people: Vec<Person> = api.list("people").await?;
            output.print(&people, |people| table(["NAME", "DISPLAY NAME", "ROLES", "GROUPS", "STATE"], people.iter().map(row)))?;
        }
        Verb::Disable { name } => {
            api.send(Method::POST, &of(name, "disable"), Some(&json!({}))).await?;
            output.done(&format!("{name} is disabled."));
        }
        Verb::Enable { name } => {
            api.send(Method::POST, &of(name, "enable"), Some(&json!({}))).await?;
            output.done(&format!("{name} is enabled."));
        }
        Verb::SetPassword { name, password_file } => {
            let password = match password_file {
                Some(file) => secret_file(file)?,
                None => asked(name)?,
            };
            api.send(Method::PUT, &of(name, "password"), Some(&json!({ "password": password.expose() }))).await?;
            output.done(&format!("The password of {name} is set; their logins have ended."));
        }
        Verb::ResetMfa { name } => {
            api.send(Method::DELETE, &of(name, "second-factor"), None).await?;
            output.done(&format!("{name} has no second factor any more; their logins have ended."));
        }
        Verb::Sessions { name } => sessions::list(&api, name, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn row(person: &Person) -> [String; 5] {
    let state = if person.disabled { "disabled" } else { "" };
    let shown = person.display_name.clone().unwrap_or_default();
    [person.username.clone(), shown, person.roles.join(" "), person.groups.join(" "), state.to_owned()]
}

fn asked(name: &str) -> anyhow::Result<Secret> {
    let asked = rpassword::prompt_password(format!("New password of {name}: "));
    let password = Secret::new(asked.context("there is no terminal to ask at: name a file with --password-file")?);
    let again = Secret::new(rpassword::prompt_password("Once more: ")?);
    ensure!(password == again, "the two differ: nothing was changed");
    Ok(password)
}
