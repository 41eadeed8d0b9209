//! Why a request ended as it did: the events of its transaction as a tree of hops, each with the origin of its credential.

mod text;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use durward_base::{Duration, EventId};
use durward_model::{Event, EventKind};
use serde::Serialize;

use crate::Query;

/// Hops nested deeper than this are shown side by side.
const DEPTH_LIMIT: usize = 32;
/// The hops of one transaction are this close to each other.
const TRANSACTION: Duration = Duration::from_secs(3600);
/// How far the clocks of two nodes may differ.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(60);

/// A request and what it caused. `Display` renders it for a terminal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The request asked for.
    pub asked: EventId,
    /// The transaction it belongs to.
    pub transaction: Option<String>,
    /// Its hops in order of time, those that another caused below it.
    pub hops: Vec<Hop>,
}

/// One request of a transaction, or one change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hop {
    /// What was recorded of it.
    #[serde(flatten)]
    pub event: Event,
    /// Where the credential it came with was from.
    pub origin: Origin,
    /// The requests it caused.
    pub next: Vec<Hop>,
}

/// How a credential came to be.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Origin {
    /// The event that issued it.
    pub issued: Option<Event>,
    /// The login it hangs on.
    pub login: Option<Event>,
}

/// The gathering of the events that explain one request: ask what `questions` says, `add` the answers, until there are none.
#[derive(Debug)]
pub struct Inquiry {
    realm: Option<String>,
    asked: EventId,
    /// By id and node: an id is its node's word, so that no node's event takes the place of another's.
    events: BTreeMap<(EventId, Arc<str>), Event>,
    questions: HashSet<Query>,
}

impl Inquiry {
    /// Begins with the request `asked`, within a realm or over all.
    pub fn new(asked: EventId, realm: Option<String>) -> Self {
        Self { realm, asked, events: BTreeMap::new(), questions: HashSet::new() }
    }

    /// What is to be looked up next; each question is given once.
    pub fn questions(&mut self) -> Vec<Query> {
        let realm = || Query { realm: self.realm.clone(), ..Query::default() };
        let mut questions = vec![Query { event: Some(self.asked), ..realm() }];
        if let Some((asked, transaction)) = self.request().zip(self.transaction()) {
            let (from, to) = (Some(asked.time - TRANSACTION), Some(asked.time + TRANSACTION));
            questions.push(Query { transaction: Some(transaction.to_owned()), from, to, ..realm() });
        }
        for caller in self.hops().filter_map(|event| event.caller.as_ref()) {
            let Some(credential) = &caller.credential else { continue };
            let from = Some(credential.issued - CLOCK_DIFFERENCE);
            questions.push(Query { issued: Some(credential.id.clone()), from, ..realm() });
            if let Some(session) = credential.session.clone() {
                let from = caller.assurance.auth_time.map(|login| login - CLOCK_DIFFERENCE);
                questions.push(Query { session: Some(session), kind: Some(EventKind::LoginSubmitted), from, ..realm() });
            }
        }
        questions.retain(|question| self.questions.insert(question.clone()));
        questions
    }

    /// Takes in what was found.
    pub fn add(&mut self, events: impl IntoIterator<Item = Event>) {
        self.events.extend(events.into_iter().map(|event| ((event.id, Arc::clone(&event.node)), event)));
    }

    /// Joins what was gathered; `None` when the request asked for is not in it.
    pub fn explanation(&self) -> Option<Explanation> {
        self.request()?;
        let mut below: BTreeMap<Option<EventId>, Vec<&Event>> = BTreeMap::new();
        let hops: HashSet<EventId> = self.hops().map(|event| event.id).collect();
        for event in self.hops() {
            let parent =
                event.chain.parent.as_ref().and_then(|parent| parent.parse().ok()).filter(|id| hops.contains(id) && *id != event.id);
            below.entry(parent).or_default().push(event);
        }
        let mut hops = self.branch(None, &mut below, 0);
        // What is left named each other as parents, or nested too deep.
        while let Some((_, events)) = below.pop_first() {
            hops.extend(events.into_iter().map(|event| self.hop(event, Vec::new())));
        }
        hops.sort_by_key(|hop| hop.event.time);
        Some(Explanation { asked: self.asked, transaction: self.transaction().map(str::to_owned), hops })
    }

    fn branch(&self, parent: Option<EventId>, below: &mut BTreeMap<Option<EventId>, Vec<&Event>>, depth: usize) -> Vec<Hop> {
        if depth == DEPTH_LIMIT {
            return Vec::new();
        }
        let mut events = below.remove(&parent).unwrap_or_default();
        events.sort_by_key(|event| (event.time, event.id));
        events.into_iter().map(|event| self.hop(event, self.branch(Some(event.id), below, depth + 1))).collect()
    }

    fn hop(&self, event: &Event, next: Vec<Hop>) -> Hop {
        Hop { event: event.clone(), origin: self.origin(event), next }
    }

    fn origin(&self, event: &Event) -> Origin {
        let Some(credential) = event.caller.as_ref().and_then(|caller| caller.credential.as_ref()) else { return Origin::default() };
        let of_session = |login: &&Event| login.kind == EventKind::LoginSubmitted && login.chain.session == credential.session;
        Origin {
            issued: self.events.values().find(|other| other.issued.as_ref() == Some(&credential.id) && other.id != event.id).cloned(),
            login: credential.session.as_ref().and_then(|_| self.events.values().find(of_session)).cloned(),
        }
    }

    /// The request asked for and those of its transaction that it caused or was caused by. A client may give many requests one trace, or
    /// one that it saw elsewhere: sharing it alone joins nothing.
    fn hops(&self) -> impl Iterator<Item = &Event> {
        let transaction = self.transaction();
        let links: Vec<(EventId, EventId)> = (self.events.values())
            .filter(|event| transaction.is_some() && event.chain.transaction.as_deref() == transaction)
            .filter_map(|event| Some((event.id, event.chain.parent.as_ref()?.parse().ok()?)))
            .collect();
        let mut joined = HashSet::from([self.asked]);
        let mut before = 0;
        while joined.len() > before {
            before = joined.len();
            for (event, parent) in &links {
                if joined.contains(event) || joined.contains(parent) {
                    joined.extend([*event, *parent]);
                }
            }
        }
        self.events.values().filter(move |event| joined.contains(&event.id))
    }

    /// The request asked for. Where nodes contradict each other, `authority` and `gateway/…` come before `service/…`.
    fn request(&self) -> Option<&Event> {
        self.events.values().find(|event| event.id == self.asked)
    }

    fn transaction(&self) -> Option<&str> {
        self.request()?.chain.transaction.as_deref()
    }
}

#[cfg(test)]
mod tests;
