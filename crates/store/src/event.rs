//! Audit events that were committed with writes, until they are in the journal and for 30 days after.

use durward_audit::Query as Asked;
use durward_base::{EventId, Timestamp};
use durward_model::Event;

use crate::batch::Batch;
use crate::housekeeping::KEPT;
use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError};

statements! {
    RECORD = Sql::shared(
        "INSERT INTO event (id, recorded, node, realm, trace, family, session, issued, journaled, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
    );
    BY_ID = Sql::shared("SELECT body FROM event WHERE id = $1 LIMIT $2");
    BY_ISSUED = Sql::shared("SELECT body FROM event WHERE issued = $1 ORDER BY id DESC LIMIT $2");
    BY_TRACE = Sql::shared("SELECT body FROM event WHERE trace = $1 ORDER BY id DESC LIMIT $2");
    BY_FAMILY = Sql::shared("SELECT body FROM event WHERE family = $1 ORDER BY id DESC LIMIT $2");
    BY_SESSION = Sql::shared("SELECT body FROM event WHERE session = $1 ORDER BY id DESC LIMIT $2");
    BY_TIME = Sql::shared("SELECT body FROM event WHERE recorded >= $1 AND recorded <= $2 ORDER BY recorded DESC, id DESC LIMIT $3");
    TO_JOURNAL = Sql::shared("SELECT body FROM event WHERE node = $1 AND NOT journaled ORDER BY id LIMIT $2");
    JOURNALED = Sql::shared("UPDATE event SET journaled = $2 WHERE id = $1");
    EXPIRE = Sql::shared(
        "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE recorded < $1 AND journaled ORDER BY recorded LIMIT $2)",
    );
}

/// Most events in one answer.
pub const EVENTS_PAGE: usize = 1_000;

impl Store {
    /// The events asked for that were committed with writes, newest first, at most `limit` and never more than [`EVENTS_PAGE`].
    pub async fn events(&self, asked: &Asked, limit: usize) -> Result<Vec<Event>, StoreError> {
        let mut events = self.list(search(asked, limit.clamp(1, EVENTS_PAGE) as u64)).await?;
        events.retain(|event| asked.matches(event));
        Ok(events)
    }

    /// Events of `node` that are not in its journal yet, the oldest first, at most [`EVENTS_PAGE`].
    pub async fn events_to_journal(&self, node: &str) -> Result<Vec<Event>, StoreError> {
        let params = vec![node.into(), Value::from(EVENTS_PAGE as u64)];
        self.list(Query { what: "event", sql: TO_JOURNAL, params, read }).await
    }

    /// Notes that these events are in the journal, on disk.
    pub async fn journaled(&self, events: &[EventId]) -> Result<(), StoreError> {
        let steps = events.iter().map(|id| Step::any(JOURNALED, [Value::Id(id.to_bytes()), true.into()])).collect();
        self.run(Batch::of_steps(steps, self.clock.now())).await.map(drop)
    }
}

/// An event as a step of the transaction it tells of.
pub(crate) fn record(event: &Event) -> Step {
    let mut body = Vec::with_capacity(512);
    durward_audit::encode(event, &mut body);
    Step::one(
        RECORD,
        [
            Value::Id(event.id.to_bytes()),
            event.time.into(),
            Value::from(&*event.node),
            event.realm.as_deref().map_or(Value::Null, Value::from),
            Value::from(&event.chain.transaction),
            Value::from(&event.chain.family),
            Value::from(&event.chain.session),
            Value::from(&event.issued),
            Value::from(false),
            Value::Bytes(body),
        ],
    )
}

pub(crate) fn expire(now: Timestamp, limit: u64) -> Step {
    Step::any(EXPIRE, [(now - KEPT).into(), limit.into()])
}

/// By the most telling thing that was asked; the rest is compared afterwards.
fn search(asked: &Asked, limit: u64) -> Query<Event> {
    let by = |sql, value: Value| (sql, vec![value, limit.into()]);
    let (sql, params) = match asked {
        Asked { event: Some(id), .. } => by(BY_ID, Value::Id(id.to_bytes())),
        Asked { issued: Some(jti), .. } => by(BY_ISSUED, jti.into()),
        Asked { transaction: Some(transaction), .. } => by(BY_TRACE, transaction.into()),
        Asked { family: Some(family), .. } => by(BY_FAMILY, family.into()),
        Asked { session: Some(session), .. } => by(BY_SESSION, session.into()),
        Asked { from, to, .. } => {
            let to = to.unwrap_or(Timestamp::from_millis(i64::MAX));
            (BY_TIME, vec![from.unwrap_or_default().into(), to.into(), limit.into()])
        }
    };
    Query { what: "event", sql, params, read }
}

fn read(row: &mut Row<'_>) -> Result<Event, Invalid> {
    durward_audit::decode(&row.bytes()?).map_err(|_| Invalid { column: "body".to_owned(), expected: "an event's canonical form" })
}
