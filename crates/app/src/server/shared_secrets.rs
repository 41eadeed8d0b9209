//! The secrets that the authority shares with other issuers.

use std::collections::BTreeMap;

use durward_base::Secret;

use crate::configuration::{Settings, resolve};

/// The secrets that the settings refer to, by name.
pub fn read(settings: &Settings) -> anyhow::Result<BTreeMap<String, Secret>> {
    let read = |(name, reference)| {
        let what = format!("shared_secrets.{name}");
        let secret = resolve(reference, &what)?;
        // RFC 7518 section 3.2, for the least of the algorithms.
        anyhow::ensure!(secret.expose().len() >= 32, "{what}: {} bytes: expected at least 32", secret.expose().len());
        Ok((String::clone(name), secret))
    };
    settings.shared_secrets.iter().map(read).collect()
}
