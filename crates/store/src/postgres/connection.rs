//! The pool of connections, and errors in words that hold no value.

use std::error::Error as _;
use std::sync::Arc;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use durward_base::{Duration, Secret};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio_postgres::config::Host;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::dsn::{self, Dsn};
use crate::OpenError;

/// Most connections of one process.
const CONNECTIONS: usize = 20;
/// PostgreSQL's own, where the DSN names none.
const PORT: u16 = 5432;
/// The longest wait for a connection, new or free.
const WAIT: Duration = Duration::from_secs(2);

/// A pool that connects when it is first used, and where to: `host:port`, of each host.
pub(super) fn pool(dsn: &Secret) -> Result<(Pool, String), OpenError> {
    let Dsn { config, roots } = dsn::parse(dsn)?;
    let at = addresses(&config);
    let create = WAIT * u32::try_from(config.get_hosts().len().max(1)).unwrap_or(1);
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match roots {
        None => Manager::from_config(config, NoTls, recycling),
        Some(path) => Manager::from_config(config, MakeRustlsConnect::new(trust(&path)?), recycling),
    };
    Pool::builder(manager)
        .max_size(CONNECTIONS)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(create))
        .recycle_timeout(Some(WAIT))
        .build()
        .map(|pool| (pool, at))
        .map_err(|error| OpenError::Settings(error.to_string()))
}

/// What the server said, by its code and message: its details may hold values.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("PostgreSQL: {} {}", error.code().code(), error.message()),
        None => {
            // Why it could not be reached is the cause's to say: refused, no such host, a certificate.
            let causes = std::iter::successors(error.source(), |&cause| cause.source());
            causes.fold(format!("PostgreSQL: {error}"), |said, cause| format!("{said}: {cause}"))
        }
    }
}

fn addresses(config: &Config) -> String {
    let ports = config.get_ports().iter().chain(std::iter::repeat(config.get_ports().last().unwrap_or(&PORT)));
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    };
    config.get_hosts().iter().zip(ports).map(|(at, port)| format!("{}:{port}", host(at))).collect::<Vec<_>>().join(", ")
}

fn trust(path: &std::path::Path) -> Result<ClientConfig, OpenError> {
    let refuse = |problem: String| OpenError::Settings(format!("sslrootcert {}: {problem}", path.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| refuse(error.to_string()))? {
        let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
        roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(refuse("holds no certificate in PEM".to_owned()));
    }
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
        .map_err(|error| refuse(error.to_string()))
}
