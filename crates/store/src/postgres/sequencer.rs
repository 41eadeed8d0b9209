//! The feed's order. Transactions leave their changes in `outbox`; whichever node holds the row of `feed_head` moves them to `feed` and
//! numbers them. Nobody waits for anybody within a transaction of their own.
//!
//! Rows are moved by deleting them, not by remembering a place: none can be passed over, however late its transaction commits, and an open
//! transaction elsewhere in the cluster holds nothing up. Of two changes of one thing the later takes its id after waiting for the earlier's
//! row lock, and whoever sees the later sees the earlier, so the order of ids is their order.

use std::sync::Arc;

use deadpool_postgres::{Client, Pool};
use durward_base::{Clock, Duration};
use durward_model::Position;
use tokio::sync::watch;
use tokio::time::timeout;

use super::transaction::failure;
use super::{ANSWER, client, finish};
use crate::batch::Failure;
use crate::{Unavailable, feed, sql};

pub(super) const ENQUEUE: &str = "INSERT INTO outbox (record) VALUES ($1)";

const PEEK: &str = "SELECT epoch, seq, EXISTS (SELECT FROM outbox) FROM feed_head";
/// The lock is the fence: a sequencer that lost it has lost its transaction with it.
const LOCK: &str = "SELECT epoch, seq FROM feed_head FOR UPDATE";
const LOCK_IF_FREE: &str = "SELECT epoch, seq FROM feed_head FOR UPDATE SKIP LOCKED";
const MOVE: &str = "WITH taken AS (
         DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT $2) RETURNING id, record
     ), placed AS (
         INSERT INTO feed (epoch, seq, recorded, record)
         SELECT feed_head.epoch, feed_head.seq + row_number() OVER (ORDER BY taken.id), $1, taken.record FROM taken, feed_head
         RETURNING seq
     ), last AS (SELECT max(seq) AS seq FROM placed)
     UPDATE feed_head SET seq = last.seq FROM last WHERE last.seq IS NOT NULL RETURNING feed_head.epoch, feed_head.seq";

/// How often to look for other nodes' changes.
const POLL: Duration = Duration::from_millis(50);
/// How often to try when the database is away.
const POLL_AGAIN: Duration = Duration::from_secs(1);
/// Most rows that one transaction moves.
const PIECE: i64 = 2_000;

pub(super) struct Sequencer {
    pool: Pool,
    clock: Clock,
    head: watch::Sender<Position>,
}

/// Whether to wait for a node that is at it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contended {
    Wait,
    Leave,
}

impl Sequencer {
    pub async fn start(pool: Pool, clock: Clock) -> Result<Arc<Self>, Failure> {
        let sequencer = Arc::new(Self { pool, clock, head: watch::Sender::default() });
        sequencer.settle().await?;
        Ok(sequencer)
    }

    /// The head as last seen.
    pub fn head(&self) -> Position {
        *self.head.borrow()
    }

    pub fn subscribe(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    /// Moves all that was committed before the call.
    pub async fn settle(&self) -> Result<(), Failure> {
        self.sequence(Contended::Wait).await
    }

    /// Looks for changes until it is aborted.
    pub async fn poll(self: Arc<Self>) {
        let mut away = false;
        loop {
            tokio::time::sleep(if away { POLL_AGAIN } else { POLL }).await;
            let outcome = self.sequence(Contended::Leave).await;
            if let (false, Err(failure)) = (away, &outcome) {
                tracing::warn!(?failure, "the feed stands still: the database is away");
            }
            away = outcome.is_err();
        }
    }

    async fn sequence(&self, contended: Contended) -> Result<(), Failure> {
        let mut client = client(&self.pool).await.map_err(|Unavailable(cause)| Failure::Broken(cause))?;
        let outcome = timeout(ANSWER, self.drain(&mut client, contended)).await;
        finish(client, outcome)
    }

    async fn drain(&self, client: &mut Client, contended: Contended) -> Result<(), Failure> {
        let failed = |error: tokio_postgres::Error| failure(&error, 0);
        loop {
            let peek = client.prepare_cached(PEEK).await.map_err(failed)?;
            let row = client.query_one(&peek, &[]).await.map_err(failed)?;
            self.ring(&row)?;
            let waiting: bool = row.try_get(2).map_err(failed)?;
            if !waiting || !self.move_some(client, contended).await? {
                return Ok(());
            }
        }
    }

    /// Moves rows. False when another node is at it.
    async fn move_some(&self, client: &mut Client, contended: Contended) -> Result<bool, Failure> {
        let failed = |error: tokio_postgres::Error| failure(&error, 0);
        let transaction = client.transaction().await.map_err(failed)?;
        let lock = transaction.prepare_cached(if contended == Contended::Wait { LOCK } else { LOCK_IF_FREE }).await.map_err(failed)?;
        if transaction.query_opt(&lock, &[]).await.map_err(failed)?.is_none() {
            return Ok(false);
        }
        // A statement of its own, so that it sees what the last holder of the lock left.
        let statement = transaction.prepare_cached(MOVE).await.map_err(failed)?;
        let moved = transaction.query_opt(&statement, &[&self.clock.now().millis(), &PIECE]).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        moved.iter().try_for_each(|row| self.ring(row))?;
        Ok(true)
    }

    fn ring(&self, row: &tokio_postgres::Row) -> Result<(), Failure> {
        let head = feed::read_position(&mut sql::Row::postgres(row))
            .map_err(|invalid| Failure::Broken(format!("the feed's head is invalid: {invalid:?}")))?;
        // Two connections may have read in either order: the head only moves on.
        self.head.send_if_modified(|known| {
            let on = head > *known;
            if on {
                *known = head;
            }
            on
        });
        Ok(())
    }
}
