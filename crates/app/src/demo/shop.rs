//! The shop beside the authority: what it declares, and its three services as processes of their own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use durward_base::{Duration, Rng, base64url};
use durward_shop::{RESOURCES, ServiceSettings};
use durward_verify::{Authority, ServiceCredential, Trust};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};
use url::Url;

use super::directory::Directory;

/// The services, and the ports their routes name.
const SERVICES: [(&str, u16); 3] = [("accounts", 9001), ("payments", 9002), ("inventory", 9003)];
/// The files that hold the people's passwords, named as the variables in the declarations.
pub(super) const CUSTOMER_PASSWORD: &str = "SHOP_CUSTOMER_PASSWORD";
pub(super) const CLERK_PASSWORD: &str = "SHOP_CLERK_PASSWORD";
/// Time for a service to join and listen.
const START: Duration = Duration::from_secs(10);

/// The shop's declared side: addresses and secrets, made at each start.
pub(super) struct Shop {
    services: Vec<Service>,
    pub(super) customer_password: String,
    pub(super) clerk_password: String,
    /// The declarations, as written for this start.
    pub(super) resources: PathBuf,
    /// The directory of the files they read secrets from.
    pub(super) secrets: PathBuf,
}

/// One service.
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    pub(super) secret: String,
}

/// A service's process. Its input is held open: when that ends, so does the process.
pub(super) struct Process {
    child: Child,
    _input: ChildStdin,
}

impl Process {
    /// Ends it, and waits until it has ended.
    pub(super) async fn end(mut self) -> std::io::Result<()> {
        self.child.kill().await
    }
}

/// Where the services find the authority.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Joining {
    pub(super) issuer: String,
    pub(super) nodes: String,
    /// The authority's root certificates in PEM.
    pub(super) roots: String,
}

/// What a service's process reads from its standard input, in one line. The input stays open for as long as the demo lives.
#[derive(Serialize, Deserialize)]
struct Orders {
    listen: SocketAddr,
    joining: Joining,
    secret: String,
    inventory: String,
    data: PathBuf,
}

impl Shop {
    /// Chooses addresses and secrets and writes the declarations.
    pub(super) fn prepare(directory: &Directory, rng: &Rng) -> anyhow::Result<Self> {
        let secret = || base64url::encode(&rng.bytes::<24>());
        let services = SERVICES.map(|(name, port)| Ok(Service { name, address: free_address(port)?, secret: secret() }));
        let services: Vec<Service> = services.into_iter().collect::<anyhow::Result<_>>()?;
        let password = || base64url::encode(&rng.bytes::<9>());
        let (resources, secrets) = (directory.path().join("resources"), directory.path().join("secrets"));
        let shop = Self { services, customer_password: password(), clerk_password: password(), resources, secrets };
        for (name, text) in RESOURCES {
            directory.write(&format!("resources/{name}"), &shop.declared(directory, text)?)?;
        }
        Ok(shop)
    }

    /// The service of this name.
    pub(super) fn service(&self, name: &str) -> anyhow::Result<&Service> {
        self.services.iter().find(|service| service.name == name).with_context(|| format!("the shop has no service {name}"))
    }

    /// Where a service is.
    pub(super) fn url(&self, name: &str) -> anyhow::Result<Url> {
        Ok(format!("http://{}", self.service(name)?.address).parse()?)
    }

    /// A declaration with this start's ports, and its secrets in files instead of the environment.
    fn declared(&self, directory: &Directory, text: &str) -> anyhow::Result<String> {
        let mut text = text.to_owned();
        for (service, (_, port)) in self.services.iter().zip(SERVICES) {
            text = text.replace(&format!("127.0.0.1:{port}"), &service.address.to_string());
            text = in_file(directory, text, &format!("SHOP_{}_SECRET", service.name.to_uppercase()), &service.secret)?;
        }
        text = in_file(directory, text, CUSTOMER_PASSWORD, &self.customer_password)?;
        in_file(directory, text, CLERK_PASSWORD, &self.clerk_password)
    }

    /// Starts the three processes and waits until each listens.
    pub(super) async fn start(&self, directory: &Directory, joining: &Joining) -> anyhow::Result<Vec<Process>> {
        let mut processes = Vec::new();
        for service in &self.services {
            processes.push(self.spawn(service, directory.path(), joining).await?);
        }
        for (service, process) in self.services.iter().zip(&mut processes) {
            let listening = async {
                while TcpStream::connect(service.address).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            tokio::select! {
                waited = tokio::time::timeout(START, listening) => waited.with_context(|| format!("{} does not start", service.name))?,
                ended = process.child.wait() => bail!("{} ended at once: {}", service.name, ended?),
            }
        }
        Ok(processes)
    }

    /// The same program once more, with a hidden verb.
    async fn spawn(&self, service: &Service, directory: &Path, joining: &Joining) -> anyhow::Result<Process> {
        let orders = Orders {
            listen: service.address,
            joining: joining.clone(),
            secret: service.secret.clone(),
            inventory: self.url("inventory")?.into(),
            data: directory.join(service.name),
        };
        let mut child = Command::new(std::env::current_exe()?)
            .args(["shop-service", service.name])
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", service.name))?;
        let mut input = child.stdin.take().context("the service has no input")?;
        input.write_all(format!("{}\n", serde_json::to_string(&orders)?).as_bytes()).await?;
        Ok(Process { child, _input: input })
    }
}

/// One service, until its standard input ends, as it does however the demo dies.
pub(super) async fn service(name: &str) -> anyhow::Result<()> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let Orders { listen, joining, secret, inventory, data } =
        serde_json::from_str(&line).context("this verb is for `durward demo` alone")?;
    let settings = ServiceSettings {
        listen,
        authority: Authority { issuer: joining.issuer.parse()?, nodes: joining.nodes.parse()? },
        trust: Trust::from_pem(joining.roots.as_bytes())?,
        credential: ServiceCredential::new(name, program(name), secret),
        data,
        inventory: Some(inventory.parse()?),
    };
    let (ended, demo_ends) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let rest = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        ended.send(rest)
    });
    tokio::select! {
        served = run(name, settings) => served,
        _ = demo_ends => Ok(()),
    }
}

/// The client a service runs as.
pub(super) fn program(service: &str) -> String {
    format!("{service}-program")
}

async fn run(name: &str, settings: ServiceSettings) -> anyhow::Result<()> {
    match name {
        "accounts" => durward_shop::accounts::run(settings).await,
        "payments" => durward_shop::payments::run(settings).await,
        "inventory" => durward_shop::inventory::run(settings).await,
        _ => bail!("the shop has no service {name}"),
    }
}

/// The text with a secret's variable replaced by a file that holds it.
fn in_file(directory: &Directory, text: String, variable: &str, secret: &str) -> anyhow::Result<String> {
    let reference = format!("${{{variable}}}");
    if !text.contains(&reference) {
        return Ok(text);
    }
    let path = directory.write(&format!("secrets/{variable}"), secret)?;
    Ok(text.replace(&reference, &format!("file:{}", path.display())))
}

/// This port of the loopback when nobody has it, else any free one.
pub(super) fn free_address(port: u16) -> anyhow::Result<SocketAddr> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    Ok(bind(port).or_else(|_| bind(0)).context("no free port on 127.0.0.1")?.local_addr()?)
}
