//! `durward clients registration-token`: what lets others register clients (RFC 7591).

use clap::Subcommand;
use durward_base::{Duration, Timestamp};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::api::{Api, segment};
use super::audit::duration;
use super::output::{Output, table};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a token and print it once
    Add {
        /// How many clients may be registered with it
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// How long it is good
        #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = duration)]
        expires: Duration,
        /// Whom it is for
        #[arg(long, default_value = "")]
        note: String,
    },
    /// List the tokens, without what is secret about them
    List,
    /// End a token now; clients that were registered with it stay
    End {
        /// The token's id
        id: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Shown {
    id: String,
    note: String,
    created: Timestamp,
    expires: Timestamp,
    uses: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// Runs the verb.
pub async fn run(verb: &Verb, api: &Api, output: Output) -> anyhow::Result<()> {
    match verb {
        Verb::Add { uses, expires, note } => {
            let asked = json!({ "uses": uses, "seconds": expires.as_secs(), "note": note });
            let made: Shown = api.post("registration-tokens", &asked).await?;
            output.print(&made, |made| made.token.clone().unwrap_or_default())
        }
        Verb::List => {
            let all: Vec<Shown> = api.get("registration-tokens", &[]).await?;
            output.print(&all, |all| {
                let row = |token: &Shown| [token.id.clone(), token.uses.to_string(), token.expires.to_string(), token.note.clone()];
                table(["ID", "USES", "EXPIRES", "NOTE"], all.iter().map(row))
            })
        }
        Verb::End { id } => {
            api.send(Method::DELETE, &format!("registration-tokens/{}", segment(id)), None).await?;
            output.done("The token has ended.");
            Ok(())
        }
    }
}
