//! What runs beside requests: signing keys as the view moves and by their schedule, and housekeeping.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use durward_base::{Clock, Duration};
use durward_enforce::{RealmView, View};
use durward_issuer::KeyRings;
use durward_model::{Key, KeyState};
use durward_net::Shutdown;
use durward_node::Shared;
use durward_oauth::key_schedule::demanded;
use durward_store::Store;

use super::keys::SigningKeys;

/// How long a promoted key waits before it signs: every node that is connected knows of it by then. Its predecessor verifies meanwhile.
const SETTLE: Duration = Duration::from_secs(1);
/// How often schedules are looked at.
const HOUR: Duration = Duration::from_secs(3600);
/// How often the clock is looked at.
const SECOND: Duration = Duration::from_secs(1);
/// How often what has expired is removed.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// Fills the rings with what signs now. A realm whose keys are not made yet is left out.
pub async fn fill_rings(keys: &SigningKeys, rings: &KeyRings, view: &View) {
    let mut filled = HashMap::new();
    for realm in view.realms() {
        match keys.ring(realm.name(), realm.id()).await {
            Ok(ring) => drop(filled.insert(realm.name().to_owned(), Arc::new(ring))),
            Err(error) => tracing::debug!(%error, realm = realm.name(), "a realm cannot sign yet"),
        }
    }
    rings.store(Arc::new(filled));
}

/// Makes the keys that realms lack and takes in those that moved, as the view moves and as time passes.
pub async fn follow_keys(keys: SigningKeys, rings: KeyRings, shared: Shared<View>, shutdown: Shutdown) {
    let mut seen = shared.views().load_full();
    let mut schedule = tokio::time::interval(HOUR);
    loop {
        let mut next = seen.position();
        next.seq += 1;
        let due = tokio::select! {
            () = shared.reached(next) => false,
            _ = schedule.tick() => true,
            () = shutdown.cancelled() => return,
        };
        let view = shared.views().load_full();
        // A clock that jumped moves no key: what it thinks is due may be due in ten years.
        let due = due && keys.clock.jump().is_none();
        for realm in view.realms().filter(|realm| due || lacks_a_key(realm, &rings)) {
            if let Err(error) = keys.advance(realm).await {
                tracing::error!(%error, realm = realm.name(), "a realm's keys could not be brought up to date");
            }
        }
        let (before, now) = (seen.snapshot().keys(), view.snapshot().keys());
        if !Arc::ptr_eq(before, now) {
            if !compromised(before, now) && !rings.load().is_empty() {
                tokio::time::sleep(SETTLE).await;
            }
            fill_rings(&keys, &rings, &view).await;
        }
        seen = view;
    }
}

/// Whether a key is asked for that does not sign yet.
fn lacks_a_key(realm: &RealmView, rings: &KeyRings) -> bool {
    let demanded = demanded(realm.settings(), realm.clients().iter().map(|(_, client)| &client.resource));
    rings.load().get(realm.name()).is_none_or(|ring| demanded.iter().any(|algorithm| !ring.has(*algorithm)))
}

/// Whether a key that was signing is gone: its successor cannot wait.
fn compromised(before: &BTreeMap<String, Arc<Key>>, now: &BTreeMap<String, Arc<Key>>) -> bool {
    before
        .values()
        .filter(|key| key.state == KeyState::Active)
        .any(|key| now.get(&key.kid).is_none_or(|key| key.state == KeyState::Removed))
}

/// Removes what has expired.
pub async fn keep_house(store: Store, clock: Clock, shutdown: Shutdown) {
    let mut minute = tokio::time::interval(HOUSEKEEPING);
    loop {
        tokio::select! {
            _ = minute.tick() => {}
            () = shutdown.cancelled() => return,
        }
        // Nothing is forgotten by a clock that jumped: it would be missed once the clock is right again.
        if clock.jump().is_none()
            && let Err(error) = store.expire(clock.now()).await
        {
            tracing::warn!(%error, "what has expired could not be removed");
        }
    }
}

/// Looks at the clock each second, and says when it jumped and when it is right again.
pub async fn watch_clock(clock: Clock, shutdown: Shutdown) {
    let mut second = tokio::time::interval(SECOND);
    let mut told = None;
    loop {
        tokio::select! {
            _ = second.tick() => {}
            () = shutdown.cancelled() => return,
        }
        let jump = clock.jump();
        match (told, jump) {
            (None, Some(jump)) => tracing::error!("{jump}; nothing is issued, expired or rotated until then"),
            (Some(_), None) => tracing::info!("the clock is right again: what was held goes on"),
            _ => {}
        }
        told = jump;
    }
}
