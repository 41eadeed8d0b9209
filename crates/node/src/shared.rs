//! What the parts of one process share: the present view, how old it is, and the journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::{ArcSwap, Guard};
use durward_base::{Duration, Timestamp};
use durward_feed::Snapshot;
use durward_model::Position;
use tokio::sync::watch;

use crate::Journal;

/// The present view of the feed, compiled to a `V`, its age, and the journal. Cheap to clone.
pub struct Shared<V>(Arc<Inner<V>>);

struct Inner<V> {
    view: Arc<ArcSwap<V>>,
    journal: Journal,
    heard: AtomicI64,
    position: watch::Sender<Option<Position>>,
}

impl<V> Clone for Shared<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: Send + Sync + 'static> Shared<V> {
    /// Begins with the view of nothing, never heard of.
    pub fn new(view: V, journal: Journal) -> Self {
        let view = Arc::new(ArcSwap::from_pointee(view));
        Self(Arc::new(Inner { view, journal, heard: AtomicI64::new(i64::MIN), position: watch::Sender::new(None) }))
    }

    /// The present view: one atomic load.
    pub fn view(&self) -> Guard<Arc<V>> {
        self.0.view.load()
    }

    /// The place where the present view stands, for those that keep it.
    pub fn views(&self) -> Arc<ArcSwap<V>> {
        Arc::clone(&self.0.view)
    }

    /// The journal.
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// How long ago the authority was last heard of: what the view may have missed is no older than this.
    pub fn age(&self, now: Timestamp) -> Duration {
        now.since(Timestamp::from_millis(self.0.heard.load(Ordering::Relaxed)))
    }

    /// How far the view has come; `None` before the first snapshot.
    pub fn position(&self) -> Option<Position> {
        *self.0.position.borrow()
    }

    /// Waits until there is a view of a snapshot, which may be one kept on disk.
    pub async fn loaded(&self) {
        // The sender lives as long as `self`.
        let _ = self.0.position.subscribe().wait_for(Option::is_some).await;
    }

    /// Waits until the view has come to `position` or beyond.
    pub async fn reached(&self, position: Position) {
        let _ = self.0.position.subscribe().wait_for(|at| at.is_some_and(|at| at >= position)).await;
    }

    /// What a feed is to drive so that the view follows it. `compile` makes the view of a snapshot, given the view before it.
    pub fn following(&self, compile: impl Fn(&Snapshot, &V) -> V + Send + Sync + 'static) -> Arc<dyn Follow> {
        Arc::new(Compiled { shared: self.clone(), compile })
    }

    fn publish(&self, view: V, position: Position) {
        self.0.view.store(Arc::new(view));
        self.0.position.send_replace(Some(position));
    }
}

/// What a feed drives: the wire's in a node, the store's in the authority.
pub trait Follow: Send + Sync + 'static {
    /// The present state is this.
    fn snapshot(&self, snapshot: &Snapshot);

    /// The authority was heard of at this moment of the local clock, and there was nothing newer than the last snapshot.
    fn heard(&self, at: Timestamp);
}

/// Compiles each snapshot into the view that is shared.
struct Compiled<V, C> {
    shared: Shared<V>,
    compile: C,
}

impl<V, C> Follow for Compiled<V, C>
where
    V: Send + Sync + 'static,
    C: Fn(&Snapshot, &V) -> V + Send + Sync + 'static,
{
    fn snapshot(&self, snapshot: &Snapshot) {
        let previous = self.shared.view();
        self.shared.publish((self.compile)(snapshot, &previous), snapshot.position());
    }

    fn heard(&self, at: Timestamp) {
        // Not the latest of them: once a clock that stood in the future is set right, hearing nothing counts again.
        self.shared.0.heard.store(at.millis(), Ordering::Relaxed);
    }
}
