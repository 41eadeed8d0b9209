//! `durward demo`: an authority, a gateway and the shop's three services, each in a process of its own, for as long as one looks at them.

mod capture;
mod directory;
mod guide;
mod shop;
mod walk;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use durward_net::{Client, Trust};
use durward_node::machine;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::api::{Api, Connection};
use crate::cli::apply;
use crate::configuration::{Listen, LogFormat, Settings, Telemetry};
use crate::server::{Server, telemetry};
use capture::Capture;
use directory::Directory;
use guide::Addresses;
use shop::{Joining, Process, Shop, free_address};
use walk::Walk;

/// Open the shop: an authority, a gateway and three services, until Ctrl-C
#[derive(Debug, Args)]
pub struct Arguments {
    /// Walk through the shop, print each step with its outcome, and end: with a failure when one fails
    #[arg(long)]
    check: bool,
}

/// One service of the demo
#[derive(Debug, Args)]
pub struct ServiceArguments {
    name: String,
}

/// Runs `durward demo`.
pub async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let rng = machine::rng();
    let directory = Directory::create(&rng)?;
    let exporter = telemetry::start(&quiet())?;
    let shop = Shop::prepare(&directory, &rng)?;
    let capture = if arguments.check { Some(Capture::listen().await?) } else { None };
    if let Some(capture) = &capture {
        directory.write("resources/walk.yaml", &capture.declaration())?;
    }
    let server = Server::start(settings(&directory)?, machine::clock(), rng.clone()).await?;
    let opened = open(&server, &shop, &directory).await;
    let outcome = match (opened, capture) {
        (Ok(demo), Some(capture)) => demo.walk(&server, &shop, capture).await,
        (Ok(demo), None) => demo.wait(&server, &shop, &directory).await,
        (Err(error), _) => Err(error),
    };
    server.stop().await;
    drop((directory, exporter));
    outcome
}

/// Runs `durward shop-service`, which `durward demo` starts for each service.
pub async fn service(arguments: &ServiceArguments) -> anyhow::Result<ExitCode> {
    let exporter = telemetry::start(&quiet())?;
    shop::service(&arguments.name).await?;
    drop(exporter);
    Ok(ExitCode::SUCCESS)
}

/// What is open. Its services end when it is dropped.
struct Demo {
    api: Api,
    issuer: String,
    services: Vec<Process>,
}

/// Declares the shop and starts its services.
async fn open(server: &Server, shop: &Shop, directory: &Directory) -> anyhow::Result<Demo> {
    let api = Connection::local(server.socket()).api().await?;
    apply::send(&api, &shop.resources, false, false).await.context("the shop could not be declared")?;
    let issuer = format!("{}/realms/{}", server.public_url(), api.realm);
    let nodes = format!("https://localhost:{}", server.addresses().nodes.port());
    let joining = Joining { issuer: issuer.clone(), nodes, roots: server.trust_pem().to_owned() };
    let services = shop.start(directory, &joining).await?;
    Ok(Demo { api, issuer, services })
}

impl Demo {
    /// Prints what to try, and waits for Ctrl-C.
    async fn wait(self, server: &Server, shop: &Shop, directory: &Directory) -> anyhow::Result<ExitCode> {
        let data = directory.data();
        let gateway = gateway(server)?;
        println!("{}", guide::text(shop, &Addresses { issuer: &self.issuer, gateway, data: &data })?);
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminated.recv() => {}
        }
        self.close().await;
        Ok(ExitCode::SUCCESS)
    }

    async fn walk(self, server: &Server, shop: &Shop, capture: Capture) -> anyhow::Result<ExitCode> {
        let client = Client::new(Some(Trust::from_pem(server.trust_pem().as_bytes())?));
        let gateway = format!("https://localhost:{}", gateway(server)?).parse()?;
        let (payments, inventory) = (shop.url("payments")?, shop.url("inventory")?);
        let issuer = self.issuer.clone();
        let walk = Walk { shop, client, rng: machine::rng(), issuer, gateway, payments, inventory, api: &self.api, capture };
        let failed = walk.walk().await;
        self.close().await;
        println!("{}", if failed == 0 { "Every step went as it should.".to_owned() } else { format!("{failed} steps failed.") });
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Ends the services, so that nothing writes below the directory any more.
    async fn close(self) {
        for service in self.services {
            if let Err(error) = service.end().await {
                tracing::warn!(%error, "a service could not be ended");
            }
        }
    }
}

fn gateway(server: &Server) -> anyhow::Result<u16> {
    Ok(server.addresses().gateway.context("the gateway does not run")?.port())
}

/// The usual ports where they are free.
fn settings(directory: &Directory) -> anyhow::Result<Settings> {
    let Listen { gateway, authority, operations, nodes } = Listen::default();
    let listen = Listen {
        gateway: free_address(gateway.port())?,
        authority: free_address(authority.port())?,
        operations: free_address(operations.port())?,
        nodes: free_address(nodes.port())?,
    };
    Ok(Settings { data: directory.data(), listen, telemetry: quiet(), ..Settings::default() })
}

fn quiet() -> Telemetry {
    Telemetry { log: "error".to_owned(), format: LogFormat::Text, otlp: None }
}
