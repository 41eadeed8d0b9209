//! `durward revoke`: end a credential everywhere within a second.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use http::Method;
use serde_json::json;

use super::api::{Connection, segment};
use super::output::Output;

/// End a credential, everywhere within a second
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to revoke
    #[arg(value_enum)]
    what: What,
    /// Its name or id
    #[arg(allow_hyphen_values = true)]
    id: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// A person: their logins end, their tokens are dead
    Person,
    /// A client: every token it was issued is dead
    Client,
    /// A login
    Session,
    /// One client in a login
    Family,
    /// One token, by jti
    Token,
    /// A signing key: everything it signed is dead
    Key,
}

/// Runs `durward revoke`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let api = connection.api().await?;
    let id = &arguments.id;
    let (path, body) = match arguments.what {
        What::Key => (format!("keys/{}/revoke", segment(id)), json!({})),
        What::Person => ("revocations".to_owned(), json!({ "person": id })),
        What::Client => ("revocations".to_owned(), json!({ "client": id })),
        What::Session => ("revocations".to_owned(), json!({ "session": id })),
        What::Family => ("revocations".to_owned(), json!({ "family": id })),
        What::Token => ("revocations".to_owned(), json!({ "token": id })),
    };
    api.send(Method::POST, &path, Some(&body)).await?;
    output.done("Revoked.");
    Ok(ExitCode::SUCCESS)
}
