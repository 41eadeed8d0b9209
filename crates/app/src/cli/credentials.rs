//! Tokens of operators who are logged in, by the authority's URL: one file of mode 0600 in the user's configuration directory.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use durward_base::{Duration, Secret, Timestamp};
use durward_net::Client;
use durward_oauth::CLI_CLIENT;
use durward_oauth::builtin::MAIN_REALM;
use serde::{Deserialize, Serialize};

use super::oauth::{Application, Tokens};
use crate::server::root::{private_directory, write_private};
use durward_node::machine;

/// A token with less life than this is renewed before it is used.
const SOON: Duration = Duration::from_secs(20);

/// What is kept of a login.
#[derive(Serialize, Deserialize)]
struct Kept {
    access_token: String,
    refresh_token: Option<String>,
    expires: Timestamp,
}

/// A token for the admin API of the authority at `url`, renewed when its life is nearly over.
pub async fn access_token(client: &Client, url: &str) -> anyhow::Result<Secret> {
    let kept =
        read()?.remove(url).with_context(|| format!("you are not logged in at {url}: run `durward login --server {url} --ca FILE`"))?;
    if machine::clock().now() + SOON < kept.expires { Ok(Secret::new(kept.access_token)) } else { renewed(client, url).await }
}

/// A new token of the same login.
pub async fn renewed(client: &Client, url: &str) -> anyhow::Result<Secret> {
    let over = || format!("your login at {url} is over: run `durward login --server {url} --ca FILE`");
    let refresh_token = read()?.remove(url).and_then(|kept| kept.refresh_token).with_context(over)?;
    let tokens = Application::of_realm(client.clone(), url, MAIN_REALM, CLI_CLIENT).refresh(&refresh_token).await.with_context(over)?;
    let token = Secret::new(tokens.access_token.as_str());
    keep(url, tokens)?;
    Ok(token)
}

/// Keeps the tokens of a login.
pub fn keep(url: &str, tokens: Tokens) -> anyhow::Result<PathBuf> {
    let mut all = read()?;
    let expires = machine::clock().now() + Duration::from_secs(tokens.expires_in);
    all.insert(url.to_owned(), Kept { access_token: tokens.access_token, refresh_token: tokens.refresh_token, expires });
    write(&all)
}

fn read() -> anyhow::Result<BTreeMap<String, Kept>> {
    let file = file()?;
    match std::fs::read(&file) {
        Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged: remove it and log in again", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", file.display())),
    }
}

fn write(all: &BTreeMap<String, Kept>) -> anyhow::Result<PathBuf> {
    let file = file()?;
    if let Some(directory) = file.parent() {
        private_directory(directory)?;
    }
    write_private(&file, &serde_json::to_vec(all)?)?;
    Ok(file)
}

fn file() -> anyhow::Result<PathBuf> {
    let of_user =
        std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")));
    Ok(of_user.context("neither XDG_CONFIG_HOME nor HOME says where logins are kept")?.join("durward").join("credentials.json"))
}
