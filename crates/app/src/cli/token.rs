//! `durward token`: an access token, printed, for trying things out.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::api::{Connection, secret_file};
use super::oauth::{Application, Tokens, Wanted};
use super::output::Output;
use durward_node::machine;

/// Print an access token: of a client by its secret, of a person by the login forms, or of whoever logs in with a browser
#[derive(Debug, Args)]
pub struct Arguments {
    /// The client
    #[arg(long, value_name = "ID")]
    client: String,
    /// The file that holds the client's secret: the token is the client's own
    #[arg(long, value_name = "FILE", conflicts_with = "person")]
    secret_file: Option<PathBuf>,
    /// The person to log in as, by the login forms
    #[arg(long, value_name = "NAME", requires = "password_file")]
    person: Option<String>,
    /// The file that holds the person's password
    #[arg(long, value_name = "FILE", requires = "person")]
    password_file: Option<PathBuf>,
    /// The service the token is for; the client's first when absent
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The scopes to ask for
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// The issuer; the realm's of the authority that is reached when absent
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    issuer: String,
}

#[derive(Serialize)]
struct Shown<'a> {
    access_token: &'a str,
    refresh_token: Option<&'a str>,
    expires_in: u64,
}

/// Runs `durward token`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let issuer = match (&arguments.issuer, &connection.server) {
        (Some(issuer), _) => issuer.clone(),
        (None, Some(url)) => format!("{url}/realms/{}", connection.realm),
        (None, None) => connection.api().await?.get::<Status>("status", &[]).await?.issuer,
    };
    let application = Application::new(connection.client()?, &issuer, &arguments.client);
    let wanted = Wanted { scope: arguments.scope.clone(), service: arguments.service.clone(), ..Wanted::default() };
    let rng = machine::rng();
    let tokens: Tokens = match (&arguments.secret_file, &arguments.person, &arguments.password_file) {
        (Some(file), ..) => application.by_secret(&secret_file(file)?, &wanted).await?,
        (None, Some(person), Some(file)) => application.by_password(person, &secret_file(file)?, &wanted, &rng).await?,
        (None, ..) => application.by_browser(&wanted, &rng).await?,
    };
    let shown = Shown { access_token: &tokens.access_token, refresh_token: tokens.refresh_token.as_deref(), expires_in: tokens.expires_in };
    output.print(&shown, |shown| shown.access_token.to_owned())?;
    Ok(ExitCode::SUCCESS)
}
