//! From the store to the journal: events that were committed with the writes they tell of.

use std::collections::HashSet;

use durward_base::{Duration, EventId};
use durward_net::Shutdown;
use durward_node::{AuditUnavailable, Journal, JournalError};
use durward_store::{Store, StoreError};
use tokio::time::MissedTickBehavior;

/// How often the store is asked. Until then the store itself answers for its events.
const PERIOD: Duration = Duration::from_secs(1);

/// Events of the journal looked through for those that were written and not noted.
const LOOKED_THROUGH: usize = 16_384;

/// Why events wait in the store.
#[derive(Debug, thiserror::Error)]
enum Waiting {
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    Journal(AuditUnavailable),
    #[error(transparent)]
    Unreadable(JournalError),
}

/// Carries events until shutdown, and what is there then: each into the journal once.
pub(crate) async fn run(store: &Store, journal: &Journal, node: &str, shutdown: Shutdown) {
    let mut tick = tokio::time::interval(PERIOD);
    let mut sure = false;
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let last = tokio::select! {
            _ = tick.tick() => false,
            () = shutdown.cancelled() => true,
        };
        let done = async {
            if !sure {
                note_written(store, journal, node).await?;
            }
            empty(store, journal, node).await
        };
        let done = done.await;
        sure = done.is_ok();
        if let Err(error) = done {
            tracing::warn!(%error, "committed events wait in the store for the journal");
        }
        if last {
            return;
        }
    }
}

/// Notes what is in the journal though nobody came to note it: the process died in between, or the disk took longer than anybody waits.
async fn note_written(store: &Store, journal: &Journal, node: &str) -> Result<(), Waiting> {
    let waiting = store.events_to_journal(node).await.map_err(Waiting::Store)?;
    if waiting.is_empty() {
        return Ok(());
    }
    let newest = journal.tail(LOOKED_THROUGH).await.map_err(Waiting::Unreadable)?;
    let written: HashSet<EventId> = newest.into_iter().filter(|event| &*event.node == node).map(|event| event.id).collect();
    let ids: Vec<_> = waiting.into_iter().map(|event| event.id).filter(|id| written.contains(id)).collect();
    store.journaled(&ids).await.map_err(Waiting::Store)
}

async fn empty(store: &Store, journal: &Journal, node: &str) -> Result<(), Waiting> {
    loop {
        let events = store.events_to_journal(node).await.map_err(Waiting::Store)?;
        if events.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = events.iter().map(|event| event.id).collect();
        journal.record_all(events).await.map_err(Waiting::Journal)?;
        store.journaled(&ids).await.map_err(Waiting::Store)?;
    }
}
