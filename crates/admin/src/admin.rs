//! What every endpoint of the admin API shares.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use durward_authn::password::Breached;
use durward_base::{Clock, Duration, RealmId, Rng, Timestamp};
use durward_enforce::{View, realm_issuer};
use durward_model::{Event, ResourceKind, Write};
use durward_net::Endpoint;
use durward_node::Shared;
use durward_seal::{KnownPasswords, Purpose, RootKey, Sealer, SecretHasher};
use durward_store::Store;

use crate::{AdminGate, Refused, endpoints};

/// How long an answer waits for the process's own view to show what was committed.
const VISIBLE: Duration = Duration::from_secs(2);

/// What the admin API is made of.
pub struct AdminSettings {
    /// Where browsers and clients reach the authority, without a trailing slash; issuers begin with it.
    pub public_url: String,
    /// Where clients reach the gateway of this process, if it runs.
    pub gateway_url: Option<String>,
    /// Where nodes reach the authority.
    pub nodes_url: String,
    /// The roots that clients of this installation trust, in PEM.
    pub trust_pem: String,
    /// The node's name in events.
    pub node: Arc<str>,
    /// The user this process runs as, who alone may use the socket.
    pub uid: u32,
    /// The ledger.
    pub store: Store,
    /// The present view, and the journal.
    pub shared: Shared<View>,
    /// A directory of this process's own on which there is room for a copy of the store, for the moment a backup takes.
    pub scratch: PathBuf,
    /// Passwords known to others, which nobody may set.
    pub breached: Option<Arc<dyn Breached>>,
    /// What keys and secrets are sealed under.
    pub root: Arc<RootKey>,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
}

/// The admin API. A handle: clones share one.
#[derive(Clone)]
pub struct Admin(Arc<Inner>);

/// What handlers work with.
pub struct Inner {
    pub(crate) settings: AdminSettings,
    pub(crate) hasher: SecretHasher,
    /// Those declared that were what is stored.
    pub(crate) passwords: KnownPasswords,
    /// Held by whoever changes what is declared, from reading it to the commit: within one process nobody has to decide twice.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Admin {
    /// The admin API of an installation.
    pub fn new(settings: AdminSettings) -> Self {
        let hasher = SecretHasher::from_root(&settings.root);
        let passwords = KnownPasswords::new(&settings.rng);
        Self(Arc::new(Inner { settings, hasher, passwords, turn: tokio::sync::Mutex::default() }))
    }

    /// Every endpoint.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        endpoints::all(self.clone())
    }

    /// Who may call them.
    pub fn gate(&self) -> AdminGate {
        AdminGate::new(self.clone())
    }
}

impl Deref for Admin {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.settings.clock.now()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.settings.store
    }

    /// The issuer of a realm.
    pub(crate) fn issuer(&self, realm: &str) -> String {
        realm_issuer(&self.settings.public_url, realm)
    }

    /// What the private halves of a realm's keys are sealed under.
    pub(crate) fn sealer(&self, realm: RealmId) -> Sealer {
        self.settings.root.derive(Purpose::Signing, Some(realm)).sealer()
    }

    /// The id of a realm that there is.
    pub(crate) async fn realm_id(&self, realm: &str) -> Result<RealmId, Refused> {
        let stored = self
            .store()
            .resource(realm, ResourceKind::Realm, realm)
            .await?
            .ok_or_else(|| Refused::NotFound(format!("there is no realm \"{realm}\"")))?;
        Ok(RealmId::from_bytes(stored.id.to_bytes()))
    }

    /// Commits, and waits until this process's own view shows it: what was asked of it next already holds.
    pub(crate) async fn commit(&self, writes: &[Write], event: Event) -> Result<(), Refused> {
        let committed = self.store().commit(writes, event).await?;
        let reached = self.settings.shared.reached(committed.position);
        if tokio::time::timeout(VISIBLE, reached).await.is_err() {
            tracing::warn!(position = ?committed.position, "a commit is not visible in this process's own view yet");
        }
        Ok(())
    }
}
