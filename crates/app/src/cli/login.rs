//! `durward login`: an operator's token, by a browser, for use with `--server`.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use durward_model::AdminRole;
use durward_oauth::CLI_CLIENT;
use durward_oauth::builtin::MAIN_REALM;

use super::api::Connection;
use super::credentials;
use super::oauth::{Application, Wanted};
use super::output::Output;
use durward_node::machine;

/// Log in at the authority that --server names, to manage it from here
#[derive(Debug, Args)]
pub struct Arguments {
    /// Ask for no more than this role, though you may hold more
    #[arg(long, value_enum, default_value_t = Role::Admin)]
    role: Role,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    /// Everything
    Admin,
    /// People, sessions, clients, routes
    Operator,
    /// Reading
    Auditor,
}

/// Runs `durward login`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let url = connection.server.as_deref().context("name the authority: --server https://host:8444")?;
    let wanted = Wanted { scope: Some(scope(arguments.role)), ..Wanted::default() };
    let application = Application::of_realm(connection.client()?, url, MAIN_REALM, CLI_CLIENT);
    let tokens = application.by_browser(&wanted, &machine::rng()).await?;
    let file = credentials::keep(url, tokens)?;
    output.done(&format!("You are logged in at {url}; the token is in {}.", file.display()));
    Ok(ExitCode::SUCCESS)
}

/// The scopes of a role and of those below it: the authority gives those that the person holds.
fn scope(role: Role) -> String {
    let most = match role {
        Role::Admin => AdminRole::Admin,
        Role::Operator => AdminRole::Operator,
        Role::Auditor => AdminRole::Auditor,
    };
    let all = [AdminRole::Admin, AdminRole::Operator, AdminRole::Auditor];
    let asked = all.into_iter().filter(|role| most.holds(*role)).map(AdminRole::name);
    std::iter::once("openid").chain(asked).collect::<Vec<_>>().join(" ")
}
