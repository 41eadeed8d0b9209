//! From the store to the journal: events that were committed with the writes they tell of

use durward_base::Duration;
use durward_net::Shutdown;
use durward_node::{AuditUnavailable, Journal};
use durward_store::{Store, StoreError};
use tokio::time::MissedTickBehavior;

/// How often the store is asked. Until then the store itself answers for its events.
const PERIOD: Duration = Duration::from_secs(1);

/// Why events wait in the store.
#[derive(Debug, thiserror::Error)]
enum Waiting {
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    Journal(AuditUnavailable),
}

/// Carries events until shutdown, and what is there then. One is in the journal twice when the process dies between writing and noting it;
/// its id says so.
pub(crate) async fn run(store: &Store, journal: &Journal, node: &str, shutdown: Shutdown) {
    let mut tick = tokio::time::interval(PERIOD);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let last = tokio::select! {
            _ = tick.tick() => false,
            () = shutdown.cancelled() => true,
        };
        if let Err(error) = empty(store, journal, node).await {
            tracing::warn!(%error, "committed events wait in the store for the journal");
        }
        if last {
            return;
        }
    }
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
