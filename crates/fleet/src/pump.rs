//! From the store to everyone: changes as they are committed, a heartbeat each second that the store answers.

use std::sync::Arc;

use durward_base::{Clock, Timestamp};
use durward_feed::{Delta, Snapshot};
use durward_net::Shutdown;
use durward_node::Follow;
use durward_store::{Store, StoreError};
use tokio::time::MissedTickBehavior;

use crate::hub::{HEARTBEAT, Hub};

/// Carries changes until shutdown. While the store does not answer there is no heartbeat, and everyone knows how old their view is.
pub(crate) async fn run(store: &Store, hub: &Hub, follow: Arc<dyn Follow>, clock: &Clock, shutdown: Shutdown) {
    let mut head = store.subscribe();
    let mut tick = tokio::time::interval(HEARTBEAT);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = None;
    loop {
        let beat = tokio::select! {
            _ = tick.tick() => true,
            rung = head.changed() => if rung.is_ok() { false } else { break },
            () = shutdown.cancelled() => break,
        };
        match catch_up(store, hub, &follow, clock, &mut known).await {
            Ok(asked) => {
                follow.heard(asked);
                if beat && let Err(error) = hub.confirmed(asked) {
                    tracing::error!(%error, "no heartbeat can be made");
                }
            }
            Err(error) => tracing::warn!(%error, "the store's changes cannot be read"),
        }
        if let Some(snapshot) = known.as_mut().filter(|_| beat && clock.jump().is_none()) {
            snapshot.expire(clock.now());
        }
    }
    hub.end();
}

/// Reads everything there is; `known` is what the store said last. Gives the moment at which the store was last asked: what was committed
/// while it answered may be missing.
async fn catch_up(
    store: &Store,
    hub: &Hub,
    follow: &Arc<dyn Follow>,
    clock: &Clock,
    known: &mut Option<Snapshot>,
) -> Result<Timestamp, StoreError> {
    loop {
        let asked = clock.now();
        let Some(snapshot) = known.as_mut() else { return start_anew(store, hub, follow, known).await.map(|()| asked) };
        let changes = match store.changes(snapshot.position()).await {
            Ok(changes) if changes.is_empty() => return Ok(asked),
            Ok(changes) => changes,
            Err(StoreError::Gap { .. }) => return start_anew(store, hub, follow, known).await.map(|()| asked),
            Err(error) => return Err(error),
        };
        if changes.iter().any(|change| snapshot.apply(change.clone()).is_err()) {
            return start_anew(store, hub, follow, known).await.map(|()| asked);
        }
        if let Some(delta) = Delta::of(changes)
            && let Err(error) = hub.moved(snapshot.clone(), delta)
        {
            tracing::error!(%error, "a change cannot be sent to nodes: they take a snapshot");
            hub.replaced(snapshot.clone());
        }
        compile(follow, snapshot).await;
    }
}

async fn start_anew(store: &Store, hub: &Hub, follow: &Arc<dyn Follow>, known: &mut Option<Snapshot>) -> Result<(), StoreError> {
    let (position, records) = store.snapshot().await?;
    let snapshot = known.get_or_insert_default();
    snapshot.union(Snapshot::new(position, records));
    hub.replaced(snapshot.clone());
    compile(follow, snapshot).await;
    Ok(())
}

/// Makes the view, away from the threads that answer requests.
async fn compile(follow: &Arc<dyn Follow>, snapshot: &Snapshot) {
    let (follow, snapshot) = (Arc::clone(follow), snapshot.clone());
    if tokio::task::spawn_blocking(move || follow.snapshot(&snapshot)).await.is_err() {
        tracing::error!("the view could not be made of the snapshot; the last one stays");
    }
}
