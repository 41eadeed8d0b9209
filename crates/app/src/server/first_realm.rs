//! The realm `main`, in a store that has none.

use durward_base::{Clock, EventId, ResourceId, Rng};
use durward_model::resource::{Realm, Resource, Stored};
use durward_model::{Event, EventKind, Outcome, ResourceKind, Write};
use durward_oauth::builtin::MAIN_REALM;
use durward_store::{CommitError, Store};

/// Makes it; `node` is who says so on the record.
pub async fn make(store: &Store, node: &str, clock: &Clock, rng: &Rng) -> anyhow::Result<()> {
    if store.resource(MAIN_REALM, ResourceKind::Realm, MAIN_REALM).await?.is_some() {
        return Ok(());
    }
    let now = clock.now();
    let realm = Stored {
        id: ResourceId::new(now, rng),
        realm: MAIN_REALM.to_owned(),
        version: 1,
        resource: Resource::Realm(Realm::named(MAIN_REALM)),
    };
    let mut event = Event::new(EventId::new(now, rng), now, node.into(), EventKind::ResourceChanged);
    event.outcome = Outcome::Changed;
    event.target = Some(format!("realm/{MAIN_REALM}"));
    match store.commit(&[Write::PutResource { stored: Box::new(realm), expected: None }], event).await {
        // Another authority may have been first.
        Ok(_) | Err(CommitError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
