//! The change feed: dense numbers within an epoch, and the present state that they lead to.

use durward_base::{Duration, Timestamp};
use durward_model::{Change, Position, Record};

use crate::batch::Batch;
use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError, client_secret, key, material, resource, revocation};

statements! {
    pub(crate) HEAD = Sql::shared("SELECT epoch, seq FROM feed_head");
    pub(crate) ADVANCE = Sql::shared("UPDATE feed_head SET seq = seq + 1");
    pub(crate) APPEND = Sql::shared("INSERT INTO feed (epoch, seq, recorded, record) SELECT epoch, seq, $1, $2 FROM feed_head");
    BEGIN = Sql::shared("INSERT INTO feed_head (one, epoch, seq) VALUES (1, $1, 0) ON CONFLICT DO NOTHING");
    AFTER = Sql::shared("SELECT epoch, seq, record FROM feed WHERE epoch = $1 AND seq > $2 ORDER BY seq LIMIT $3");
    NEW_EPOCH = Sql::shared("UPDATE feed_head SET epoch = CASE WHEN epoch < $1 THEN $1 ELSE epoch + 1 END, seq = 0");
    FORGET = Sql::shared("DELETE FROM feed");
    EXPIRE = Sql::shared(
        "DELETE FROM feed WHERE (epoch, seq) IN (SELECT epoch, seq FROM feed WHERE recorded < $1 ORDER BY epoch, seq LIMIT $2)",
    );
}

/// Most changes in one answer of [`Store::changes`].
pub const CHANGES_PAGE: usize = 1_000;

/// Three lives of the longest access token, and an hour: a consumer that was away longer takes a snapshot.
const KEPT: Duration = Duration::from_secs(4 * 3_600);

impl Store {
    /// The changes after `since`, in order and without a hole, at most [`CHANGES_PAGE`]; empty at the head.
    ///
    /// # Errors
    /// [`StoreError::Gap`] when the feed does not hold what follows `since`.
    pub async fn changes(&self, since: Position) -> Result<Vec<Change>, StoreError> {
        let params = vec![since.epoch.into(), since.seq.into(), Value::from(CHANGES_PAGE as u64)];
        let rows = self.rows(vec![head_query(), Query { what: "change", sql: AFTER, params, read: read_change }]).await?;
        let (mut head, mut changes) = (Position::default(), Vec::new());
        for row in rows {
            match row {
                Ok(Entry::Head(position)) => head = position,
                Ok(Entry::Change(change)) if change.position.seq == since.seq + 1 + changes.len() as u64 => changes.push(change),
                // A hole or a row that cannot be read: what comes before it is good, then only a snapshot helps.
                Ok(Entry::Change(_) | Entry::Record(_)) | Err(_) => break,
            }
        }
        let at_head = head == since;
        if head.epoch == since.epoch && (at_head || !changes.is_empty()) { Ok(changes) } else { Err(StoreError::Gap { since }) }
    }

    /// The present state, and a position at or before it: changes after that position may repeat what is in it, and lead to the same.
    pub async fn snapshot(&self) -> Result<(Position, Vec<Record>), StoreError> {
        self.settle().await;
        let now = self.clock.now();
        let queries = vec![
            head_query(),
            Query {
                what: "resource",
                sql: resource::ALL,
                params: vec![],
                read: |row| Ok(Entry::Record(Record::Resource(Box::new(resource::read(row)?)))),
            },
            Query { what: "key", sql: key::ALL, params: vec![], read: |row| Ok(Entry::Record(Record::Key(key::read(row)?))) },
            Query {
                what: "client secret",
                sql: client_secret::ALL,
                params: vec![],
                read: |row| Ok(Entry::Record(Record::ClientSecret(client_secret::read(row)?))),
            },
            Query {
                what: "revocation",
                sql: revocation::UNEXPIRED,
                params: vec![now.into()],
                read: |row| Ok(Entry::Record(Record::Revocation(revocation::read(row)?))),
            },
        ];
        let (mut head, mut records) = (Position::default(), Vec::new());
        for entry in crate::store::valid(self.rows(queries).await?) {
            match entry {
                Entry::Head(position) => head = position,
                Entry::Record(record) => records.push(record),
                Entry::Change(_) => {}
            }
        }
        Ok((head, records))
    }

    /// The place of the last change.
    pub async fn head(&self) -> Result<Position, StoreError> {
        let head = Query { what: "feed head", sql: HEAD, params: vec![], read: read_position };
        Ok(self.one(head).await?.unwrap_or_default())
    }

    /// Begins a new epoch, to be called once after a backup was put back: every node takes a snapshot, keeping the revocations it holds, and
    /// codes issued before [`Store::restored_at`] are dead.
    pub async fn restore_epoch(&self) -> Result<Position, StoreError> {
        let now = self.clock.now();
        let steps = vec![
            Step::one(NEW_EPOCH, [epoch(now)]),
            Step::any(FORGET, []),
            material::put(RESTORED_AT, now.millis().to_be_bytes().to_vec()),
        ];
        self.run(Batch::of_steps(steps, now)).await?;
        self.head().await
    }

    /// When a backup was last put back, if ever.
    pub async fn restored_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let bytes = self.material(RESTORED_AT).await?;
        Ok(bytes.and_then(|bytes| bytes.expose().try_into().ok()).map(|bytes| Timestamp::from_millis(i64::from_be_bytes(bytes))))
    }
}

const RESTORED_AT: &str = "restored_at";

/// Makes the head of a new store. Its epoch is the time, so that no two stores, and no two restores of one, ever share an epoch.
pub(crate) fn begin(now: Timestamp) -> Step {
    Step::any(BEGIN, [epoch(now)])
}

pub(crate) fn expire(now: Timestamp, limit: u64) -> Step {
    Step::any(EXPIRE, [(now - KEPT).into(), limit.into()])
}

/// The text of a change as the feed keeps it.
pub(crate) fn text(record: &Record) -> Value {
    Value::json(record)
}

pub(crate) fn read_position(row: &mut Row<'_>) -> Result<Position, Invalid> {
    Ok(Position { epoch: row.number()?, seq: row.number()? })
}

fn epoch(now: Timestamp) -> Value {
    Value::Integer(now.millis().max(1))
}

enum Entry {
    Head(Position),
    Change(Change),
    Record(Record),
}

fn head_query() -> Query<Entry> {
    Query { what: "feed head", sql: HEAD, params: vec![], read: |row| read_position(row).map(Entry::Head) }
}

fn read_change(row: &mut Row<'_>) -> Result<Entry, Invalid> {
    Ok(Entry::Change(Change { position: read_position(row)?, record: row.json()? }))
}
