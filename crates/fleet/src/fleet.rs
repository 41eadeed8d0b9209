//! The fleet as a value: what its endpoints share, and what runs behind them.

use std::sync::{Arc, OnceLock};

use durward_base::{Clock, Rng};
use durward_enforce::{CredentialCache, View};
use durward_net::{Endpoint, Gate, Shutdown};
use durward_node::{Follow, NoAuthority, Resolve, Resolver, Shared};
use durward_store::Store;

use crate::gate::FleetGate;
use crate::hub::Hub;
use crate::intake::Intake;
use crate::{endpoints, outbox, pump};

/// What the fleet is made of.
pub struct FleetSettings {
    /// The ledger, whose changes the feed tells.
    pub store: Store,
    /// The authority's own view and journal.
    pub shared: Shared<View>,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
}

/// The authority's side of every node. Cheap to clone.
#[derive(Clone)]
pub struct Fleet(Arc<Inner>);

struct Inner {
    settings: FleetSettings,
    hub: Hub,
    intake: Intake,
    credentials: Arc<CredentialCache>,
    resolver: OnceLock<Resolver>,
}

impl Fleet {
    /// A fleet that knows nothing to tell before `pump` runs.
    pub fn new(settings: FleetSettings) -> Self {
        let hub = Hub::new(settings.clock.clone());
        let credentials = Arc::new(CredentialCache::new(&settings.rng));
        Self(Arc::new(Inner { settings, hub, intake: Intake::default(), credentials, resolver: OnceLock::new() }))
    }

    /// Who answers what nodes ask about credentials. Until somebody does, each such question is answered with 503.
    pub fn resolve_with(&self, authority: Arc<dyn Resolve>) {
        self.0.resolver.get_or_init(|| Resolver::new(authority, self.clock().clone(), &self.0.settings.rng));
    }

    /// The endpoints of the nodes listener.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        endpoints::list(self.clone())
    }

    /// The gate of the nodes listener: a node's token for the fleet's audience, and nothing else.
    pub fn gate(&self) -> Arc<dyn Gate> {
        Arc::new(FleetGate::new(self.clone()))
    }

    /// Carries the store's changes to every node and, through `follow`, into this process's own view, until shutdown.
    pub async fn pump(&self, follow: Arc<dyn Follow>, shutdown: Shutdown) {
        pump::run(&self.0.settings.store, &self.0.hub, follow, &self.0.settings.clock, shutdown).await;
    }

    /// Carries the events that `node` (this process's name in events) committed with writes into its journal, until shutdown.
    pub async fn journal(&self, node: &str, shutdown: Shutdown) {
        outbox::run(&self.0.settings.store, self.shared().journal(), node, shutdown).await;
    }

    pub(crate) fn shared(&self) -> &Shared<View> {
        &self.0.settings.shared
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.settings.clock
    }

    pub(crate) fn resolver(&self) -> &Resolver {
        self.0.resolver.get_or_init(|| Resolver::new(Arc::new(NoAuthority), self.clock().clone(), &self.0.settings.rng))
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.0.intake
    }

    pub(crate) fn credentials(&self) -> &CredentialCache {
        &self.0.credentials
    }
}
