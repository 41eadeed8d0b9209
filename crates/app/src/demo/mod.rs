//! `durward demo`: an authority, a gateway and the shop's three services, each in a process of its own, for as long as one looks at them.

mod capture;
mod directory;
mod guide;
mod process;
mod shop;
mod walk;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use durward_base::Rng;
use durward_model::resource::SecretReference;
use durward_net::{Client, Trust};
use durward_node::machine;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::api::Connection;
use crate::cli::apply;
use crate::cli::output::line;
use crate::configuration::{Listen, LogFormat, Settings, StoreChoice, Telemetry};
use crate::server::{Server, telemetry};
use capture::Capture;
use directory::Directory;
use guide::Addresses;
use shop::{Joining, Shop};
use walk::Walk;

/// Open the shop: an authority, a gateway and three services, until Ctrl-C
#[derive(Debug, Args)]
pub struct Arguments {
    /// Walk through the shop, print each step with its outcome, and end: with a failure when one fails
    #[arg(long)]
    check: bool,
    /// Send traces to this collector, as OTLP over gRPC
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
    /// Keep the ledger in PostgreSQL: the file that holds its DSN
    #[arg(long, value_name = "FILE")]
    postgres: Option<PathBuf>,
}

/// One service of the demo
#[derive(Debug, Args)]
pub struct ServiceArguments {
    name: String,
    port: u16,
    #[arg(long)]
    otlp: Option<String>,
}

/// Runs `durward demo`.
pub async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let rng = machine::rng();
    let exporter = telemetry::start(&quiet(&arguments.otlp), "durward")?;
    let directory = Directory::create(&rng)?;
    let mut shop = Shop::open(&directory, arguments.otlp.as_deref(), &rng).await?;
    let server = start(arguments, &directory, &rng).await?;
    let outcome = shown(arguments, &server, &mut shop, &directory).await;
    shop.close().await;
    server.stop().await;
    drop((directory, exporter));
    outcome
}

/// Runs `durward shop-service`, which `durward demo` starts for each service.
pub async fn service(arguments: &ServiceArguments) -> anyhow::Result<ExitCode> {
    let exporter = telemetry::start(&quiet(&arguments.otlp), &arguments.name)?;
    process::serve(&arguments.name, arguments.port).await?;
    drop(exporter);
    Ok(ExitCode::SUCCESS)
}

/// Declares the shop, lets its services join, and shows it: by walking through it, or by saying what to try.
async fn shown(arguments: &Arguments, server: &Server, shop: &mut Shop, directory: &Directory) -> anyhow::Result<ExitCode> {
    let api = Connection::local(server.socket()).api().await?;
    let capture = if arguments.check { Some(Capture::listen().await?) } else { None };
    if let Some(capture) = &capture {
        directory.write("resources/walk.yaml", &capture.declaration())?;
    }
    apply::send(&api, &shop.resources, false, false).await.context("the shop could not be declared")?;
    let issuer = format!("{}/realms/{}", server.public_url(), api.realm);
    let nodes = format!("https://localhost:{}", server.addresses().nodes.port());
    shop.join(directory, &Joining { issuer: &issuer, nodes: &nodes, roots: server.trust_pem() }).await?;

    let gateway = server.addresses().gateway.context("the gateway does not run")?.port();
    let Some(capture) = capture else {
        line(&guide::text(shop, &Addresses { issuer: &issuer, gateway, data: &directory.data() })?)?;
        interrupted().await?;
        return Ok(ExitCode::SUCCESS);
    };
    let walk = Walk {
        shop,
        client: Client::new(Some(Trust::from_pem(server.trust_pem().as_bytes())?)),
        rng: machine::rng(),
        issuer,
        gateway: format!("https://localhost:{gateway}").parse()?,
        payments: shop.url("payments")?,
        inventory: shop.url("inventory")?,
        api: &api,
        capture,
    };
    Ok(match walk.walk().await {
        0 => {
            line("\nEvery step went as it should.")?;
            ExitCode::SUCCESS
        }
        failed => {
            line(&format!("\nNot as they should: {failed} steps."))?;
            ExitCode::FAILURE
        }
    })
}

async fn interrupted() -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    Ok(())
}

/// On the usual ports where all of them are free, else on any.
async fn start(arguments: &Arguments, directory: &Directory, rng: &Rng) -> anyhow::Result<Server> {
    let (usual, any) = (Listen::default(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let any = Listen { gateway: any, authority: any, operations: any, nodes: any, ..Listen::default() };
    let are_free = [usual.gateway, usual.authority, usual.operations, usual.nodes].iter().all(|at| TcpListener::bind(at).is_ok());
    let dsn = |file: &PathBuf| StoreChoice::Postgres(SecretReference::File(file.display().to_string()));
    let store = arguments.postgres.as_ref().map_or(StoreChoice::Sqlite, dsn);
    let settings = |listen| {
        let (data, store, telemetry) = (directory.data(), store.clone(), quiet(&arguments.otlp));
        Settings { data, listen, store, telemetry, ..Settings::default() }
    };
    if are_free && let Ok(server) = Server::start(settings(usual), machine::clock(), rng.clone()).await {
        return Ok(server);
    }
    Server::start(settings(any), machine::clock(), rng.clone()).await
}

fn quiet(otlp: &Option<String>) -> Telemetry {
    Telemetry { log: "error".to_owned(), format: LogFormat::Text, otlp: otlp.clone() }
}
