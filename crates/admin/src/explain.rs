//! Gathering the events that explain a request, from the journal and from the store's transactions.

use std::collections::BTreeMap;
use std::sync::Arc;

use durward_audit::{Explanation, Inquiry, Query};
use durward_base::EventId;
use durward_model::Event;

use crate::{Admin, Refused};

/// Rounds of questions: each hop may lead to one more.
const ROUNDS: usize = 8;
/// Events looked at for one question.
const EVENTS: usize = 500;

impl Admin {
    /// Why a request ended as it did.
    pub(crate) async fn explanation(&self, asked: EventId) -> Result<Explanation, Refused> {
        let mut inquiry = Inquiry::new(asked, None);
        for _ in 0..ROUNDS {
            let questions = inquiry.questions();
            if questions.is_empty() {
                break;
            }
            for question in questions {
                inquiry.add(self.events(&question, EVENTS).await?);
            }
        }
        inquiry.explanation().ok_or_else(|| Refused::no("recorded request", &asked.to_string()))
    }

    /// The newest `limit` events asked for, each once: an event of a transaction is in the store at once and in the journal soon after.
    /// An id is its node's word, so that no node's event takes the place of another's.
    pub(crate) async fn events(&self, query: &Query, limit: usize) -> Result<Vec<Event>, Refused> {
        let mut events: BTreeMap<(EventId, Arc<str>), Event> = BTreeMap::new();
        let named = |event: Event| ((event.id, Arc::clone(&event.node)), event);
        events.extend(self.store().events(query, limit).await?.into_iter().map(named));
        events.extend(self.settings.shared.journal().find(query.clone(), limit).await?.into_iter().map(named));
        Ok(events.into_values().rev().take(limit).collect())
    }
}
