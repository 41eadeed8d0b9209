//! The realms' signing keys: opened from the store, rotated by their schedule, handed to the one gate that signs.

use std::sync::Arc;

use anyhow::Context as _;
use durward_base::{Clock, EventId, RealmId, Rng};
use durward_enforce::RealmView;
use durward_model::{Event, EventKind, Key, KeyState, Outcome, Write};
use durward_oauth::KeyRing;
use durward_oauth::key_schedule::{KeySchedule, demanded};
use durward_seal::{Purpose, RootKey, Sealer};
use durward_store::{CommitError, Store};

/// What making and opening the realms' keys takes.
pub struct SigningKeys {
    /// Where they are kept, sealed.
    pub store: Store,
    /// What they are sealed under.
    pub root: Arc<RootKey>,
    /// Issuers begin with it.
    pub public_url: String,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
}

/// How often a commit that meets another node's is decided again.
const ATTEMPTS: usize = 3;

impl SigningKeys {
    /// Does what is due to a realm's keys: its first ones, those that its clients ask for, rotation, removal. True when something was.
    pub async fn advance(&self, view: &RealmView) -> anyhow::Result<bool> {
        let (realm, id) = (view.name(), view.id());
        for _ in 0..ATTEMPTS {
            let keys: Vec<Key> = self.store.sealed_keys(realm).await?.into_iter().map(|sealed| sealed.key).collect();
            let (name, issuer, sealer) = (realm.to_owned(), self.issuer(realm), self.sealer(id));
            let (rng, now) = (self.rng.clone(), self.clock.now());
            // An RSA key takes a tenth of a second to make: not on a thread that answers requests.
            let demanded = demanded(view.settings(), view.clients().iter().map(|(_, client)| &client.resource));
            let due = move || KeySchedule { realm: &name, issuer: &issuer, sealer: &sealer, rng: &rng, now }.due_for(&keys, &demanded);
            let writes = tokio::task::spawn_blocking(due).await??;
            if writes.is_empty() {
                return Ok(false);
            }
            match self.store.commit(&writes, self.event(realm, &writes)).await {
                Ok(_) => return Ok(true),
                Err(CommitError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        anyhow::bail!("the keys of realm {realm} are being changed by other authorities all the time")
    }

    /// The keys that sign for a realm now.
    pub async fn ring(&self, realm: &str, id: RealmId) -> anyhow::Result<KeyRing> {
        let (issuer, sealer) = (self.issuer(realm), self.sealer(id));
        let schedule = KeySchedule { realm, issuer: &issuer, sealer: &sealer, rng: &self.rng, now: self.clock.now() };
        let sealed = self.store.sealed_keys(realm).await?;
        let active = sealed.iter().filter(|key| key.sealed.is_some() && key.key.state == KeyState::Active && key.key.issuer == issuer);
        let keys = active.map(|key| schedule.open(key)).collect::<Result<_, _>>()?;
        KeyRing::new(keys).with_context(|| format!("realm {realm}"))
    }

    fn issuer(&self, realm: &str) -> String {
        format!("{}/realms/{realm}", self.public_url)
    }

    fn sealer(&self, realm: RealmId) -> Sealer {
        self.root.derive(Purpose::Signing, Some(realm)).sealer()
    }

    fn event(&self, realm: &str, writes: &[Write]) -> Event {
        let now = self.clock.now();
        let mut event = Event::new(EventId::new(now, &self.rng), now, "authority".into(), EventKind::KeyChanged);
        event.outcome = Outcome::Changed;
        event.realm = Some(realm.into());
        event.detail = Some(format!("{} steps of the key schedule", writes.len()));
        event
    }
}
