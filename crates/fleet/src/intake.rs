//! Events that nodes send: only what a node may say, under the node's own name, each once.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use durward_base::EventId;
use durward_model::{Event, EventKind};
use durward_node::{AuditUnavailable, Journal, JournalError};

use crate::Node;

/// Ids remembered for each name of a node: many batches of many replicas, each of which sends one batch at a time until it is taken.
const REMEMBERED: usize = 16_384;
/// Events of the journal looked through after a start.
const LOOKED_THROUGH: usize = 16_384;

/// What a node may tell of. Logins, keys and changes are the authority's to tell.
const KINDS: [EventKind; 7] = [
    EventKind::Forwarded,
    EventKind::ServiceRequest,
    EventKind::Unrouted,
    EventKind::OperationsRead,
    EventKind::ConfigurationReloaded,
    EventKind::Gap,
    EventKind::Started,
];

/// Why a batch is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntakeError {
    #[error("a node cannot tell of {}", .0.name())]
    Kind(EventKind),
    #[error(transparent)]
    Unavailable(AuditUnavailable),
    #[error(transparent)]
    Journal(JournalError),
}

/// What was taken in lately.
#[derive(Default)]
pub(crate) struct Intake {
    /// Whether what the journal holds is known here.
    known: tokio::sync::Mutex<bool>,
    nodes: Mutex<HashMap<Arc<str>, Arc<tokio::sync::Mutex<Recent>>>>,
}

#[derive(Default)]
struct Recent {
    ids: HashSet<EventId>,
    order: VecDeque<EventId>,
}

impl Intake {
    /// Puts a batch on disk. Events that are there already are passed over, so that a batch whose answer was lost can be sent again.
    pub(crate) async fn take(&self, journal: &Journal, node: &Node, events: Vec<Event>) -> Result<(), IntakeError> {
        if let Some(event) = events.iter().find(|event| !KINDS.contains(&event.kind)) {
            return Err(IntakeError::Kind(event.kind));
        }
        let mut known = self.known.lock().await;
        if !*known {
            self.look_through(journal).await.map_err(IntakeError::Journal)?;
            *known = true;
        }
        drop(known);
        let recent = self.of(&node.name);
        // Two deliveries of one batch wait for each other: the second is answered when the first is on disk.
        let mut recent = recent.lock().await;
        let mut new: Vec<_> = events.into_iter().filter(|event| !recent.ids.contains(&event.id)).collect();
        let ids: Vec<_> = new.iter().map(|event| event.id).collect();
        for event in &mut new {
            event.node = Arc::clone(&node.name);
            event.realm = Some(Arc::clone(&node.realm));
            // A service issues nothing; saying so would make it the origin of somebody's token.
            event.issued = None;
        }
        if !new.is_empty() {
            let written = journal.record_all(new).await;
            if let Err(error) = written {
                // It may be written yet, when nobody waits for it any more.
                drop(recent);
                *self.known.lock().await = false;
                return Err(IntakeError::Unavailable(error));
            }
        }
        ids.into_iter().for_each(|id| recent.remember(id));
        Ok(())
    }

    /// What the last process took in, and what was written after nobody waited for it any more.
    async fn look_through(&self, journal: &Journal) -> Result<(), JournalError> {
        for event in journal.tail(LOOKED_THROUGH).await?.into_iter().rev().filter(|event| event.node.starts_with("service/")) {
            self.of(&event.node).lock().await.remember(event.id);
        }
        Ok(())
    }

    fn of(&self, node: &Arc<str>) -> Arc<tokio::sync::Mutex<Recent>> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(nodes.entry(Arc::clone(node)).or_default())
    }
}

impl Recent {
    fn remember(&mut self, id: EventId) {
        if self.ids.insert(id) {
            self.order.push_back(id);
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.ids.remove(&oldest);
            }
        }
    }
}
