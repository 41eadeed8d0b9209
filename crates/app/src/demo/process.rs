//! A service of the shop as a process of its own: the same program under a hidden verb, and both ends of what is said to it.
//!
//! It binds and says where; it is told whom to join; it says that it is ready. When its input ends, it does.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use axum::Router;
use durward_base::Duration;
use durward_shop::ServiceSettings;
use durward_verify::{Authority, ServiceCredential, Trust};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Time for a service to say something.
const PATIENCE: Duration = Duration::from_secs(15);
const READY: &str = "ready";

/// A service's process. Its input is held open for as long as it is to live.
pub(super) struct Process {
    pub(super) name: &'static str,
    /// Where it listens.
    pub(super) address: SocketAddr,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

/// What a service is told, in one line of JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct Orders {
    pub(super) issuer: String,
    pub(super) nodes: String,
    /// The authority's root certificates in PEM.
    pub(super) roots: String,
    pub(super) client_id: String,
    pub(super) secret: String,
    /// Where inventory is.
    pub(super) inventory: String,
    pub(super) data: PathBuf,
}

impl Process {
    /// Starts a service, at this port of the loopback if nobody has it.
    pub(super) async fn start(name: &'static str, port: u16, otlp: Option<&str>) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["shop-service", name, &port.to_string()])
            .args(otlp.iter().flat_map(|url| ["--otlp", *url]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        let input = child.stdin.take().context("the service has no input")?;
        let mut output = BufReader::new(child.stdout.take().context("the service has no output")?).lines();
        let address = said(name, &mut output).await?.parse().with_context(|| format!("{name} does not say where it listens"))?;
        Ok(Self { name, address, child, input, output })
    }

    /// Tells it whom to join, and waits until it has.
    pub(super) async fn join(&mut self, orders: &Orders) -> anyhow::Result<()> {
        self.input.write_all(format!("{}\n", serde_json::to_string(orders)?).as_bytes()).await?;
        match said(self.name, &mut self.output).await?.as_str() {
            READY => Ok(()),
            other => bail!("{} says {other} instead of being ready", self.name),
        }
    }

    /// Ends it, and waits until it has ended.
    pub(super) async fn end(mut self) -> std::io::Result<()> {
        self.child.kill().await
    }
}

async fn said(name: &str, output: &mut Lines<BufReader<ChildStdout>>) -> anyhow::Result<String> {
    let line = tokio::time::timeout(PATIENCE, output.next_line()).await.with_context(|| format!("{name} says nothing"))?;
    line?.with_context(|| format!("{name} has ended; it said why above"))
}

/// The other end: one service, until its input ends, as it does however the demo dies.
pub(super) async fn serve(name: &str, port: u16) -> anyhow::Result<()> {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no free port on 127.0.0.1")?,
    };
    println!("{}", listener.local_addr()?);
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let orders: Orders = serde_json::from_str(&line).context("this verb is for `durward demo` alone")?;
    let (ended, demo_ends) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let rest = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        ended.send(rest)
    });
    let serving = async {
        let routes = routes(name, orders).await?;
        println!("{READY}");
        durward_shop::serve(listener, routes).await
    };
    tokio::select! {
        served = serving => served,
        _ = demo_ends => Ok(()),
    }
}

async fn routes(name: &str, orders: Orders) -> anyhow::Result<Router> {
    let settings = ServiceSettings {
        authority: Authority { issuer: orders.issuer.parse()?, nodes: orders.nodes.parse()? },
        trust: Trust::from_pem(orders.roots.as_bytes())?,
        credential: ServiceCredential::new(name, orders.client_id, orders.secret),
        data: orders.data,
        inventory: Some(orders.inventory.parse()?),
    };
    match name {
        "accounts" => durward_shop::accounts::routes(&settings).await,
        "payments" => durward_shop::payments::routes(&settings).await,
        "inventory" => durward_shop::inventory::routes(&settings).await,
        _ => bail!("the shop has no service {name}"),
    }
}
