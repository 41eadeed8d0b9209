//! `durward protect`: a service of one's own behind the gateway, with someone who may call it, in one command.

mod browser;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use durward_admin::{Apply, Item, Plan};
use durward_base::{Rng, Secret, base64url};
use durward_model::resource::{
    Access, Client, ClientAuthentication, PersonResource, Requirement, Route, Service, Timeouts, Trust, Upstream,
};
use durward_model::{CredentialKind, GrantType, Resource};
use serde::{Deserialize, Serialize};
use url::Url;

use super::api::Connection;
use super::apply::{self, body};
use super::output::Output;
use super::yaml;
use crate::server::root::write_private;
use durward_node::machine;

/// Put a service of your own behind the gateway: writes a route, a service, a client and a person, and says how to call it
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where the service listens: `http://127.0.0.1:8080`
    #[arg(value_parser = url)]
    url: Url,
    /// The path it is reached at: `/orders` and everything below
    #[arg(long, value_name = "PATH")]
    at: String,
    /// What the route, the service and the rest are named after; the path's first segment when absent
    #[arg(long)]
    name: Option<String>,
    /// Let people use it with a browser, too: who is not logged in is sent to log in
    #[arg(long)]
    browser: bool,
    /// Write over what stands under these names and differs
    #[arg(long)]
    replace: bool,
}

#[derive(Deserialize)]
struct Status {
    gateway: Option<String>,
}

/// What was made, and how to use it.
#[derive(Serialize)]
struct Protected {
    resources: Vec<Resource>,
    password_file: PathBuf,
    /// The roots to trust; none where the system's are.
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<PathBuf>,
    token: String,
    curl: String,
    /// What to open in a browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<String>,
}

/// Runs `durward protect`.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let name = named(arguments)?;
    let api = connection.api().await?;
    let Some(gateway) = api.get::<Status>("status", &[]).await?.gateway else {
        bail!("the gateway does not run: set `gateway.enabled` and start again")
    };
    let own = match arguments.browser {
        true => Some(browser::client(&api, connection.data(), &gateway, &name).await?),
        false => None,
    };
    let resources = resources(&name, arguments, own.as_ref().map(|(client, _)| client))?;
    let (password_file, ca_file) = (connection.data().join(format!("{name}-demo.password")), connection.ca_file());
    let password = password(&password_file, &machine::rng())?;
    let secrets = own.map(|(client, secret)| (client.name, vec![secret])).into_iter().collect();
    let passwords = [(format!("{name}-demo"), password.clone())].into();
    let asked = Apply { resources: resources.clone(), secrets, passwords, dry_run: true, ..Apply::default() };
    let plan: Plan = api.post("apply", &body(&asked)).await?;
    if !arguments.replace {
        must_replace_nothing(plan)?;
    }
    if !password_file.exists() {
        write_private(&password_file, format!("{}\n", password.expose()).as_bytes())?;
    }
    api.post::<Plan>("apply", &body(&Apply { dry_run: false, ..asked })).await?;
    let token = format!(
        "durward --data {} token --client {name}-cli --person {name}-demo --password-file {}",
        shown(connection.data()),
        shown(&password_file)
    );
    let at = &arguments.at;
    let roots = ca_file.as_deref().map(|file| format!(" --cacert {}", shown(file))).unwrap_or_default();
    let curl = format!("curl -i{roots} -H \"Authorization: Bearer $({token})\" {gateway}{at}");
    let open = arguments.browser.then(|| format!("{gateway}{at}"));
    let made = Protected { resources, password_file, ca_file, token, curl, open };
    output.print(&made, text)?;
    Ok(ExitCode::SUCCESS)
}

fn text(made: &Protected) -> String {
    let written = made.resources.iter().map(yaml::document).collect::<anyhow::Result<Vec<_>>>().unwrap_or_default().join("---\n");
    let Protected { password_file, token, curl, open, .. } = made;
    let open =
        open.as_ref().map(|url| format!("\n# In a browser that trusts the roots, log in as the person:\n{url}\n")).unwrap_or_default();
    format!(
        "# What was written (keep it in a file, and `durward apply -f` it from now on):\n{written}\n\
         # The person's password is in {}\n\n\
         # A token:\n{token}\n\n# A call:\n{curl}\n{open}",
        password_file.display()
    )
}

fn named(arguments: &Arguments) -> anyhow::Result<String> {
    let first = arguments.at.trim_start_matches('/').split('/').next().unwrap_or_default();
    let name = arguments.name.clone().unwrap_or_else(|| first.to_ascii_lowercase());
    let good =
        (1..=60).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    anyhow::ensure!(good, "`{name}` names nothing: give --name with lower-case letters, digits and hyphens");
    anyhow::ensure!(arguments.at.starts_with('/'), "--at {}: expected a path that begins with a slash", arguments.at);
    Ok(name)
}

fn resources(name: &str, arguments: &Arguments, own: Option<&Client>) -> anyhow::Result<Vec<Resource>> {
    let upstream = arguments.url.as_str().trim_end_matches('/').to_owned();
    let only_origin = arguments.url.scheme() == "http" && arguments.url.path() == "/" && arguments.url.query().is_none();
    anyhow::ensure!(only_origin, "{}: expected `http://host:port` without a path: requests keep the path they came with", arguments.url);
    // A browser's session is for one service; what else it leads to names that one.
    let audience = own.and_then(|client| client.services.first()).filter(|first| *first != name).cloned();
    let accept = if own.is_some() { vec![CredentialKind::BrowserSession, CredentialKind::Jwt] } else { vec![CredentialKind::Jwt] };
    let mut resources = vec![
        Resource::Service(Service { name: name.to_owned(), description: Some(format!("What {upstream} offers")), ..Service::default() }),
        Resource::Client(client(name, audience.as_deref().unwrap_or(name))),
        Resource::Route(Route {
            name: name.to_owned(),
            host: None,
            path: arguments.at.clone(),
            exact: false,
            methods: Vec::new(),
            upstream: Upstream::one(upstream),
            upstream_tls: None,
            upstream_name: None,
            timeouts: Timeouts::default(),
            retries: true,
            max_in_flight: None,
            health_check: None,
            service: name.to_owned(),
            audience,
            accept,
            api_key_in_url: false,
            access: Access::Protected,
            require: Requirement { authenticated: true, ..Requirement::default() },
            authorize: None,
            limits: Vec::new(),
            cors: None,
            security_headers: false,
            rewrite: None,
            show_decision: false,
            mode: None,
            withhold: Vec::new(),
            identity_type: "dw-id+jwt".to_owned(),
            max_staleness_seconds: 60,
        }),
        Resource::Person(PersonResource {
            name: format!("{name}-demo"),
            display_name: None,
            email: None,
            roles: Vec::new(),
            groups: Vec::new(),
            password: None,
            disabled: false,
        }),
    ];
    resources.extend(own.cloned().map(Resource::Client));
    Ok(resources)
}

/// A public client: it proves itself by PKCE, and comes back on loopback.
fn client(name: &str, service: &str) -> Client {
    Client {
        name: format!("{name}-cli"),
        trust: Trust::FirstParty,
        authentication: ClientAuthentication::None,
        redirect_uris: vec!["http://127.0.0.1/callback".to_owned()],
        grants: vec![GrantType::AuthorizationCode],
        scopes: vec!["openid".to_owned()],
        services: vec![service.to_owned()],
        ..Client::default()
    }
}

/// Where the service listens, as a URL: `127.0.0.1:8080` alone would be read as one whose scheme is missing or `localhost`.
fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| format!("expected a URL that begins with http:// or https://, such as http://127.0.0.1:8080, and found `{text}`"))
}

/// Refuses what would change a resource that stands: it may have been narrowed since. The gateway's own client only grows.
fn must_replace_nothing(plan: Plan) -> anyhow::Result<()> {
    let differing: Vec<Item> = plan.update.into_iter().filter(|item| !browser::only_grows(item)).collect();
    if differing.is_empty() {
        return Ok(());
    }
    let differing = apply::text(&Plan { update: differing, ..Plan::default() });
    bail!("what stands differs, and nothing was changed: --replace writes over it, --name protects beside it\n\n{}", differing.trim_end())
}

/// The password in the file, or a new one: doing it again changes nothing.
fn password(file: &Path, rng: &Rng) -> anyhow::Result<Secret> {
    if file.exists() { super::api::secret_file(file) } else { Ok(Secret::new(base64url::encode(&rng.bytes::<15>()))) }
}

/// A path as a shell takes it.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./+:".contains(&byte));
    if plain { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
