//! `durward ca export`: the roots that clients have to trust.

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use durward_base::Secret;
use durward_pki::TrustBundle;

use super::api::{Connection, secret_file};
use durward_node::machine;

/// The password of a truststore when none is given: it holds nothing secret, and Java wants one.
const USUAL_PASSWORD: &str = "changeit";

/// Look after what clients trust
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write the roots to trust, for curl, Node, Go and Python (pem) or for Java (p12)
    Export {
        /// The form
        #[arg(long, value_enum, default_value_t = Form::Pem)]
        format: Form,
        /// The file that holds the truststore's password; `changeit` when absent
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Where to write; the terminal when absent
        #[arg(short = 'f', long, visible_short_alias = 'o', value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// Certificates in PEM
    Pem,
    /// A PKCS#12 truststore
    P12,
}

/// Runs `durward ca`.
pub async fn run(arguments: &Arguments, connection: &Connection) -> anyhow::Result<ExitCode> {
    let Verb::Export { format, password_file, file } = &arguments.verb;
    let pem = connection.api().await?.text("ca", &[]).await?;
    let bytes = match format {
        Form::Pem => pem.into_bytes(),
        Form::P12 => {
            let password = password_file.as_deref().map_or_else(|| Ok(Secret::new(USUAL_PASSWORD)), secret_file)?;
            TrustBundle::from_pem(&pem)?.to_pkcs12(&password, &machine::rng())
        }
    };
    match file {
        Some(file) => std::fs::write(file, bytes).with_context(|| format!("{} cannot be written", file.display()))?,
        None => match std::io::stdout().write_all(&bytes) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error.into()),
            _ => {}
        },
    }
    Ok(ExitCode::SUCCESS)
}
