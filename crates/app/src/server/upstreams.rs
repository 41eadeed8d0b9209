//! What the settings say of upstreams, made ready for the gateway.

use std::path::PathBuf;

use anyhow::Context as _;
use durward_base::Duration;
use durward_gateway::{UpstreamPem, UpstreamSettings, UpstreamTimeouts, UpstreamTls};

use super::followed::Followed;
use crate::configuration::{GatewaySettings, UpstreamTls as Settings};

/// Reads the settings, and says how to follow the files that they name.
///
/// # Errors
/// Names the first that cannot be used.
pub fn open(settings: &GatewaySettings) -> anyhow::Result<(UpstreamSettings, Followed)> {
    let time = |ms: u32| Duration::from_millis(ms.into());
    let timeouts = &settings.timeouts;
    anyhow::ensure!(timeouts.connect_ms > 0 && timeouts.answer_ms > 0 && timeouts.idle_ms > 0, "gateway.timeouts: each must be above 0");
    anyhow::ensure!(settings.max_in_flight > 0, "gateway.max_in_flight is 0: nothing could ever pass");
    let timeouts = UpstreamTimeouts { connect: time(timeouts.connect_ms), answer: time(timeouts.answer_ms), idle: time(timeouts.idle_ms) };
    let named = |(index, settings)| read(settings).with_context(|| format!("gateway.upstream_tls[{index}]"));
    let tls = settings.upstream_tls.iter().enumerate().map(|line| Ok(UpstreamTls::new(line.1.name.clone(), &named(line)?)?));
    let tls: Vec<UpstreamTls> = tls.collect::<anyhow::Result<_>>().context("gateway.upstream_tls")?;
    let (lines, replaced) = (settings.upstream_tls.clone(), tls.clone());
    let files = lines.iter().flat_map(files).cloned().collect();
    let again = move || lines.iter().zip(&replaced).try_for_each(|(line, tls)| Ok(tls.replace(&read(line)?)?));
    let followed = Followed::read("TLS to upstreams", files, again)?;
    Ok((UpstreamSettings { timeouts, max_in_flight: settings.max_in_flight, tls }, followed))
}

fn files(settings: &Settings) -> impl Iterator<Item = &PathBuf> {
    [&settings.roots, &settings.certificate, &settings.key].into_iter().flatten()
}

fn read(settings: &Settings) -> anyhow::Result<UpstreamPem> {
    let file = |path: &PathBuf| std::fs::read(path).with_context(|| format!("the file {} cannot be read", path.display()));
    let identity = match (&settings.certificate, &settings.key) {
        (Some(certificate), Some(key)) => Some((file(certificate)?, file(key)?)),
        (None, None) => None,
        _ => anyhow::bail!("`certificate` and `key` go together"),
    };
    Ok(UpstreamPem { roots: settings.roots.as_ref().map(file).transpose()?, identity })
}
