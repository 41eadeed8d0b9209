//! Which events are asked for.

use durward_base::{EventId, Timestamp};
use durward_model::{Event, EventKind};

/// What an event must be to be found; whatever is `None` does not matter. Everything asked for must hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Query {
    /// The realm's name. Nothing that answers a person or program may leave it out.
    pub realm: Option<String>,
    /// With a realm: also events that name none. They are the installation's: requests refused before a realm was known, connections that
    /// brought no request, the process's own.
    pub installation: bool,
    /// The event itself (its id is the `X-Request-Id` of its answer).
    pub event: Option<EventId>,
    /// What was attempted.
    pub kind: Option<EventKind>,
    /// The transaction that its hops share.
    pub transaction: Option<String>,
    /// The family it hangs on.
    pub family: Option<String>,
    /// The login it hangs on.
    pub session: Option<String>,
    /// The `jti` of the credential that came out of it.
    pub issued: Option<String>,
    /// Not before this moment.
    pub from: Option<Timestamp>,
    /// Not after this moment.
    pub to: Option<Timestamp>,
}

impl Query {
    /// Whether `event` is one of those asked for.
    pub fn matches(&self, event: &Event) -> bool {
        let same = |asked: &Option<String>, found: &Option<String>| asked.is_none() || asked == found;
        let in_realm =
            self.realm.is_none() || self.realm.as_deref() == event.realm.as_deref() || self.installation && event.realm.is_none();
        in_realm
            && self.event.is_none_or(|id| id == event.id)
            && self.kind.is_none_or(|kind| kind == event.kind)
            && same(&self.transaction, &event.chain.transaction)
            && same(&self.family, &event.chain.family)
            && same(&self.session, &event.chain.session)
            && same(&self.issued, &event.issued)
            && self.from.is_none_or(|from| event.time >= from)
            && self.to.is_none_or(|to| event.time <= to)
    }

    /// The earliest moment at which an event asked for can have been recorded: an id says when it was made.
    pub fn earliest(&self) -> Option<Timestamp> {
        self.from.max(self.event.map(EventId::time))
    }
}
