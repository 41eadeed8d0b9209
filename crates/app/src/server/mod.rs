//! The authority as a value: `Server::start(Settings, Clock, Rng)`. Two of them run in one process without knowing of each other.

mod acme;
mod background;
mod breached;
pub mod browsers;
mod certificate_files;
pub mod certificates;
mod check;
mod client_authorities;
mod first_realm;
mod followed;
mod front_certificates;
mod keys;
mod listeners;
pub mod local;
mod metrics;
mod places;
mod readiness;
mod retention;
pub mod root;
mod shared_secrets;
mod shown;
mod start;
mod strict_transport;
pub mod telemetry;
mod upstream_metrics;
mod upstreams;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use durward_base::Secret;
use durward_net::Shutdown;
use tokio_util::task::TaskTracker;

pub use check::check;
pub use listeners::Addresses;

/// A running server. Dropped without `stop`, it goes on until the process ends.
pub struct Server {
    addresses: Addresses,
    public_url: String,
    trust_pem: String,
    unseen: Option<root::Unseen>,
    socket: PathBuf,
    endpoints: Vec<String>,
    journal: durward_node::Journal,
    declared: Arc<AtomicBool>,
    shutdown: Shutdown,
    tasks: TaskTracker,
}

impl Server {
    /// Where it listens.
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Where browsers and clients reach it.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// What clients have to trust, in PEM.
    pub fn trust_pem(&self) -> &str {
        &self.trust_pem
    }

    /// Shows the recovery key, at the first start only: until it was shown, each start is the first.
    ///
    /// # Errors
    /// When the seal cannot be put in its place behind it.
    pub fn show_recovery_key(&mut self, show: impl FnOnce(&Secret)) -> anyhow::Result<()> {
        self.unseen.take().map_or(Ok(()), |unseen| unseen.show(show))
    }

    /// The admin API's socket.
    pub fn socket(&self) -> &std::path::Path {
        &self.socket
    }

    /// Every endpoint of every listener: method, path, access, rate, event and handler, sorted.
    pub fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// Says that the resources its settings name are in force: before that it is not ready, and a first start has no routes.
    pub fn resources_are_applied(&self) {
        self.declared.store(true, Ordering::Release);
    }

    /// Stops accepting, finishes what was begun, and puts the journal on disk.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.journal.close().await;
    }
}
