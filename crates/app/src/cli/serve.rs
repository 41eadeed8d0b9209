//! `durward serve`: the authority and its gateway, until it is told to end.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use durward_node::machine;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::api::Connection;
use super::apply;
use super::output::line;
use crate::configuration::{HERE, LogFormat, Settings};
use crate::server::{Server, telemetry};

/// Serve the authority and the gateway
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// The configuration; `durward.yaml` here when there is one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// For trying it out: no configuration needed, logs for people, and what to do next is printed
    #[arg(long)]
    dev: bool,
}

/// Runs `durward serve`. `data` stands over the configuration's when it was given.
pub async fn run(arguments: &ServeArguments, data: Option<&Path>) -> anyhow::Result<ExitCode> {
    let settings = settings(arguments, data)?;
    let exporter = telemetry::start(&settings.telemetry, "durward")?;
    let mut server = Server::start(settings.clone(), machine::clock(), machine::rng()).await?;
    // Before anybody is told that it runs: a signal that came earlier would end the process.
    let mut reload = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    show_recovery_key(&mut server, &settings)?;
    if let Some(resources) = &settings.resources {
        apply_resources(&server, resources).await.context("the resources could not be applied at start")?;
        server.resources_are_applied();
    }
    announce(&server, arguments.dev, &settings)?;
    loop {
        tokio::select! {
            _ = reload.recv() => match reloaded(arguments, data, &settings, &server).await {
                Ok(done) => tracing::info!("{done}"),
                Err(error) => tracing::error!(error = format!("{error:#}"), "the configuration was not reloaded; what stood before holds"),
            },
            _ = terminate.recv() => break,
            interrupted = tokio::signal::ctrl_c() => break interrupted?,
        }
    }
    tracing::info!("finishing what was begun");
    tokio::select! {
        () = server.stop() => {}
        _ = terminate.recv() => tracing::warn!("told twice: ending at once"),
    }
    drop(exporter);
    Ok(ExitCode::SUCCESS)
}

/// The settings in force: the file named, the one that is here, or with `--dev` every default.
fn settings(arguments: &ServeArguments, data: Option<&Path>) -> anyhow::Result<Settings> {
    let mut settings = match Settings::named_or_here(arguments.config.as_deref()) {
        Some(file) => Settings::read(file)?,
        None if arguments.dev => Settings::default(),
        None => bail!(
            "there is no {HERE} here: write one (`durward config schema` says what may stand in it), name one with --config, or try things out with --dev"
        ),
    };
    if let Some(data) = data {
        settings.data = data.to_owned();
    }
    if arguments.dev {
        settings.telemetry.format = LogFormat::Text;
    }
    Ok(settings)
}

/// Shows the recovery key, once: before anything that may fail.
fn show_recovery_key(server: &mut Server, settings: &Settings) -> anyhow::Result<()> {
    let seal_file = settings.seal_file()?;
    server.show_recovery_key(|key| {
        eprintln!(
            "\nRecovery key, shown this once. Keep it off this machine: with it a backup opens when the seal file is lost.\n\n    {}\n",
            key.expose()
        );
        eprintln!("The seal file is {}; never keep it together with a backup.\n", seal_file.display());
    })
}

/// Says that it is ready, and where it listens: one JSON line for programs, sentences for people.
fn announce(server: &Server, dev: bool, settings: &Settings) -> anyhow::Result<()> {
    line(&json!({ "ready": true, "public_url": server.public_url(), "listen": server.addresses() }).to_string())?;
    if dev {
        let data = settings.data.display();
        eprintln!(
            "The authority is at {}, the gateway at port {}.",
            server.public_url(),
            server.addresses().gateway.map_or(0, |at| at.port())
        );
        eprintln!(
            "Next, in another terminal, put it in front of a service of yours:\n\n    durward protect http://127.0.0.1:8080 --at /orders --data {data}\n"
        );
    }
    Ok(())
}

/// Reads the configuration and the resources again and puts them in force as a whole, or not at all.
async fn reloaded(arguments: &ServeArguments, data: Option<&Path>, running: &Settings, server: &Server) -> anyhow::Result<String> {
    let settings = settings(arguments, data)?;
    let fixed = |settings: &Settings| json!(Settings { resources: None, ..settings.clone() });
    if fixed(&settings) != fixed(running) {
        tracing::warn!("a reload takes in resources; the other settings that changed take effect at the next start");
    }
    match &settings.resources {
        Some(resources) => apply_resources(server, resources).await,
        None => Ok("the configuration is valid; it names no resources to apply".to_owned()),
    }
}

async fn apply_resources(server: &Server, resources: &Path) -> anyhow::Result<String> {
    let api = Connection::local(server.socket()).api().await?;
    let plan = apply::send(&api, resources, false, false).await?;
    Ok(format!("resources applied: {} changes", plan.changes()))
}
