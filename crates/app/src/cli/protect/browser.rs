//! The client that people with browsers log in to: the gateway's own, whose secret it keeps in its data directory.

use std::path::Path;

use anyhow::Context as _;
use durward_admin::Item;
use durward_base::Secret;
use durward_model::resource::{Client, ClientAuthentication, Trust};
use durward_model::{GrantType, Resource, ResourceKind, Stored};

use crate::cli::api::{Api, secret_file};
use crate::cli::plural;
use crate::server::browsers::{OWN_CLIENT, OWN_SECRET};

/// The gateway's client with this service among its services, and its secret. What else it is for already stays.
///
/// # Errors
/// When the gateway keeps no secret there.
pub async fn client(api: &Api, data: &Path, gateway: &str, service: &str) -> anyhow::Result<(Client, Secret)> {
    let file = data.join(OWN_SECRET);
    let secret = secret_file(&file).context(
        "--browser needs the secret of the gateway's own client, in the data directory of an authority without `gateway.sessions`",
    )?;
    let clients: Vec<Stored> = api.list(plural(ResourceKind::Client)).await?;
    let known = clients.into_iter().find_map(|stored| match stored.resource {
        Resource::Client(client) if client.name == OWN_CLIENT => Some(client),
        _ => None,
    });
    let mut client = known.unwrap_or_else(fresh);
    add(&mut client.redirect_uris, format!("{gateway}/.durward/callback"));
    add(&mut client.post_logout_redirect_uris, format!("{gateway}/"));
    add(&mut client.services, service.to_owned());
    Ok((client, secret))
}

/// Whether this is the gateway's own client, with more in what `client` adds to and nothing else.
pub fn only_grows(item: &Item) -> bool {
    let added = |field: &str| matches!(field, "redirect_uris" | "post_logout_redirect_uris" | "services");
    item.kind == ResourceKind::Client && item.name == OWN_CLIENT && item.fields.iter().all(|difference| added(&difference.field))
}

fn fresh() -> Client {
    Client {
        name: OWN_CLIENT.to_owned(),
        trust: Trust::FirstParty,
        authentication: ClientAuthentication::ClientSecretBasic,
        grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scopes: vec!["openid".to_owned()],
        ..Client::default()
    }
}

fn add(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) {
        list.push(item);
    }
}
