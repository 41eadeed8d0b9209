//! The command line: one file a verb.

pub(crate) mod api;
mod api_keys;
pub(crate) mod apply;
mod audit;
mod backup;
mod ca;
mod clients;
mod clock;
mod config;
mod coverage;
mod credentials;
mod doctor;
mod explain;
mod export;
mod keys;
mod login;
pub(crate) mod oauth;
mod observe;
pub(crate) mod output;
mod people;
mod protect;
mod registration_tokens;
mod restore;
mod revoke;
mod serve;
mod sessions;
mod token;
mod yaml;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use durward_model::ResourceKind;

use crate::demo;
use api::Connection;
use output::Output;

/// Authentication and authorization for a fleet of microservices.
#[derive(Debug, Parser)]
#[command(name = "durward", version, propagate_version = true, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    connection: Connection,
    /// The form of what is printed
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Connection")]
    output: Output,
}

/// What can be asked of an authority, and what needs none.
#[derive(Debug, Subcommand)]
enum Verb {
    Demo(demo::Arguments),
    #[command(hide = true)]
    ShopService(demo::ServiceArguments),
    Serve(serve::ServeArguments),
    Apply(apply::ApplyArguments),
    Diff(apply::DiffArguments),
    Export(export::Arguments),
    Protect(protect::Arguments),
    Explain(explain::Arguments),
    Audit(audit::Arguments),
    People(people::Arguments),
    Sessions(sessions::Arguments),
    Clients(clients::Arguments),
    ApiKeys(api_keys::Arguments),
    Keys(keys::Arguments),
    Clock(clock::Arguments),
    Revoke(revoke::Arguments),
    Token(token::Arguments),
    Login(login::Arguments),
    Observe(observe::Arguments),
    Coverage(coverage::Arguments),
    Ca(ca::Arguments),
    Backup(backup::Arguments),
    Restore(restore::Arguments),
    Config(config::Arguments),
    Doctor(doctor::Arguments),
}

/// Does what the command line says. The exit status is 0, 1 when it went wrong, or what the verb says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let done = runtime.block_on(run(&cli));
    // What still blocks, such as a prompt, must not keep the process.
    runtime.shutdown_background();
    done.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("durward: {error:#}");
    ExitCode::FAILURE
}

async fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let (connection, output) = (&cli.connection, cli.output);
    match &cli.verb {
        Verb::Demo(arguments) => demo::run(arguments).await,
        Verb::ShopService(arguments) => demo::service(arguments).await,
        Verb::Serve(arguments) => serve::run(arguments, connection.data.as_deref()).await,
        Verb::Apply(arguments) => apply::apply(arguments, connection, output).await,
        Verb::Diff(arguments) => apply::diff(arguments, connection, output).await,
        Verb::Export(arguments) => export::run(arguments, connection, output).await,
        Verb::Protect(arguments) => protect::run(arguments, connection, output).await,
        Verb::Explain(arguments) => explain::run(arguments, connection, output).await,
        Verb::Audit(arguments) => audit::run(arguments, connection, output).await,
        Verb::People(arguments) => people::run(arguments, connection, output).await,
        Verb::Sessions(arguments) => sessions::run(arguments, connection, output).await,
        Verb::Clients(arguments) => clients::run(arguments, connection, output).await,
        Verb::ApiKeys(arguments) => api_keys::run(arguments, connection, output).await,
        Verb::Keys(arguments) => keys::run(arguments, connection, output).await,
        Verb::Clock(arguments) => clock::run(arguments, connection, output).await,
        Verb::Revoke(arguments) => revoke::run(arguments, connection, output).await,
        Verb::Token(arguments) => token::run(arguments, connection, output).await,
        Verb::Login(arguments) => login::run(arguments, connection, output).await,
        Verb::Observe(arguments) => observe::run(arguments, connection, output).await,
        Verb::Coverage(arguments) => coverage::run(arguments, connection, output).await,
        Verb::Ca(arguments) => ca::run(arguments, connection).await,
        Verb::Backup(arguments) => backup::run(arguments, connection, output).await,
        Verb::Restore(arguments) => restore::run(arguments, connection.data.as_deref(), output).await,
        Verb::Config(arguments) => config::run(arguments, output),
        Verb::Doctor(arguments) => doctor::run(arguments, connection, output).await,
    }
}

/// The word for several resources of a kind, as it stands in the admin API's addresses.
pub(crate) const fn plural(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Realm => "realms",
        ResourceKind::Role => "roles",
        ResourceKind::Group => "groups",
        ResourceKind::Service => "services",
        ResourceKind::Client => "clients",
        ResourceKind::TrustedIssuer => "trusted-issuers",
        ResourceKind::Schema => "schemas",
        ResourceKind::Policy => "policies",
        ResourceKind::Route => "routes",
        ResourceKind::Person => "people",
    }
}
