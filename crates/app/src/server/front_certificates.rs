//! The certificates by which proxies in front are known. What does not read keeps the gateway from starting: nobody is believed by mistake.

use std::path::PathBuf;

use anyhow::Context as _;
use durward_net::CertificateDer;

/// Reads them, one a file: what else a file holds is its chain.
pub fn read(files: &[PathBuf]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read =
        |file: &PathBuf| durward_net::certificates(&std::fs::read(file)?)?.into_iter().next().context("there is no certificate in it");
    let named = |file: &PathBuf| read(file).with_context(|| format!("gateway.front_certificates: the file {}", file.display()));
    files.iter().map(named).collect()
}
