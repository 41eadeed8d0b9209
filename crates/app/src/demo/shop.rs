//! The shop beside the authority: what it declares, with this start's addresses and secrets, and its three services.

use std::path::PathBuf;

use anyhow::Context as _;
use durward_base::{Rng, base64url};
use durward_shop::RESOURCES;
use url::Url;

use super::directory::Directory;
use super::process::{Orders, Process};

/// The services, and the ports their routes name.
const SERVICES: [(&str, u16); 3] = [("accounts", 9001), ("payments", 9002), ("inventory", 9003)];
/// The files that hold the people's passwords, named as the variables in the declarations.
pub(super) const CUSTOMER_PASSWORD: &str = "SHOP_CUSTOMER_PASSWORD";
pub(super) const CLERK_PASSWORD: &str = "SHOP_CLERK_PASSWORD";

/// The shop.
pub(super) struct Shop {
    services: Vec<Service>,
    pub(super) customer_password: String,
    pub(super) clerk_password: String,
    /// The declarations, as written for this start.
    pub(super) resources: PathBuf,
    /// The directory of the files they read secrets from.
    pub(super) secrets: PathBuf,
}

struct Service {
    process: Process,
    secret: String,
}

/// Where the services find the authority.
pub(super) struct Joining<'a> {
    pub(super) issuer: &'a str,
    pub(super) nodes: &'a str,
    /// The authority's root certificates in PEM.
    pub(super) roots: &'a str,
}

impl Shop {
    /// Starts the services, makes their secrets and the people's passwords, and writes the declarations.
    pub(super) async fn open(directory: &Directory, otlp: Option<&str>, rng: &Rng) -> anyhow::Result<Self> {
        let mut services = Vec::new();
        for (name, port) in SERVICES {
            services.push(Service { process: Process::start(name, port, otlp).await?, secret: base64url::encode(&rng.bytes::<24>()) });
        }
        let password = || base64url::encode(&rng.bytes::<9>());
        let (resources, secrets) = (directory.path().join("resources"), directory.path().join("secrets"));
        let shop = Self { services, customer_password: password(), clerk_password: password(), resources, secrets };
        for (name, text) in RESOURCES {
            directory.write(&format!("resources/{name}"), &shop.declared(directory, text)?)?;
        }
        Ok(shop)
    }

    /// Lets the services, once they are declared, join the authority.
    pub(super) async fn join(&mut self, directory: &Directory, at: &Joining<'_>) -> anyhow::Result<()> {
        let inventory = self.url("inventory")?;
        for service in &mut self.services {
            let name = service.process.name;
            let orders = Orders {
                issuer: at.issuer.to_owned(),
                nodes: at.nodes.to_owned(),
                roots: at.roots.to_owned(),
                client_id: program(name),
                secret: service.secret.clone(),
                inventory: inventory.to_string(),
                data: directory.path().join(name),
            };
            service.process.join(&orders).await?;
        }
        Ok(())
    }

    /// Ends the services, so that nothing writes below the directory any more.
    pub(super) async fn close(self) {
        for service in self.services {
            if let Err(error) = service.process.end().await {
                tracing::warn!(%error, "a service could not be ended");
            }
        }
    }

    /// Where a service is.
    pub(super) fn url(&self, name: &str) -> anyhow::Result<Url> {
        Ok(format!("http://{}", self.service(name)?.process.address).parse()?)
    }

    /// A service's client secret.
    pub(super) fn secret(&self, name: &str) -> anyhow::Result<&str> {
        Ok(&self.service(name)?.secret)
    }

    fn service(&self, name: &str) -> anyhow::Result<&Service> {
        self.services.iter().find(|service| service.process.name == name).with_context(|| format!("the shop has no service {name}"))
    }

    /// A declaration with this start's addresses, and its secrets in files instead of the environment.
    fn declared(&self, directory: &Directory, text: &str) -> anyhow::Result<String> {
        let mut text = text.to_owned();
        for (service, (name, port)) in self.services.iter().zip(SERVICES) {
            text = text.replace(&format!("127.0.0.1:{port}"), &service.process.address.to_string());
            text = in_file(directory, text, &format!("SHOP_{}_SECRET", name.to_uppercase()), &service.secret)?;
        }
        text = in_file(directory, text, CUSTOMER_PASSWORD, &self.customer_password)?;
        in_file(directory, text, CLERK_PASSWORD, &self.clerk_password)
    }
}

/// The client a service runs as.
pub(super) fn program(service: &str) -> String {
    format!("{service}-program")
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
