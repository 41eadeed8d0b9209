//! `durward keys`: a realm's signing keys.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use durward_model::Key;
use http::Method;
use serde_json::json;

use super::api::{Connection, segment};
use super::output::{Output, table};

/// Look after the realm's signing keys
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the keys: published, active, retiring, removed
    List,
    /// Let the next keys sign from now on; no request fails for it
    Rotate,
    /// Take a compromised key out of use at once: everything it signed is dead
    Revoke {
        /// The key's id
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

/// Runs `durward keys`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let api = connection.api().await?;
    let keys: Vec<Key> = match &arguments.verb {
        Verb::List => api.get("keys", &[]).await?,
        Verb::Rotate => api.post("keys/rotate", &json!({})).await?,
        Verb::Revoke { kid } => {
            serde_json::from_slice(&api.send(Method::POST, &format!("keys/{}/revoke", segment(kid)), Some(&json!({}))).await?)?
        }
    };
    output.print(&keys, |keys| table(["KID", "ALGORITHM", "USE", "STATE", "SINCE", "ISSUER"], keys.iter().map(row)))?;
    Ok(ExitCode::SUCCESS)
}

fn row(key: &Key) -> [String; 6] {
    let word = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
    [key.kid.clone(), key.algorithm.clone(), word(&key.key_use), word(&key.state), key.since.to_string(), key.issuer.clone()]
}
