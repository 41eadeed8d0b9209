//! `durward backup`: a copy of a running authority's store, encrypted.

use std::fs::OpenOptions;
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::api::Connection;
use super::output::Output;

/// Copy the store of a running authority into a file that only its seal or recovery key opens
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file to make
    file: PathBuf,
}

/// Runs `durward backup`. The file appears whole or not at all.
pub async fn run(arguments: &Arguments, connection: &Connection, output: Output) -> anyhow::Result<ExitCode> {
    let file = &arguments.file;
    anyhow::ensure!(!file.exists(), "{} exists: a backup never replaces another", file.display());
    let mut partial = file.clone().into_os_string();
    partial.push(".partial");
    let cannot = || format!("{} cannot be written", file.display());
    let out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial).with_context(cannot)?;
    let api = connection.api().await?;
    let written = api.download("backup", BufWriter::new(&out)).await;
    if let Err(error) = written {
        let _ = std::fs::remove_file(&partial);
        return Err(error);
    }
    out.sync_all().and_then(|()| std::fs::rename(&partial, file)).with_context(cannot)?;
    output.done(&format!(
        "{} holds the store, encrypted under its root key: keep the recovery key or the seal file elsewhere.",
        file.display()
    ));
    Ok(ExitCode::SUCCESS)
}
