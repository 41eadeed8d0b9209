//! PostgreSQL: guarded statements at READ COMMITTED, a pool, and a task that keeps the feed in order.

mod connection;
mod dsn;
mod migrate;
mod sequencer;
mod transaction;
mod value;

use std::sync::Arc;

use deadpool_postgres::{Client, Object, Pool, PoolError};
use durward_base::{Clock, Duration, Secret};
use durward_model::Position;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use self::sequencer::Sequencer;
use crate::batch::{Batch, Done, Failure};
use crate::migration::{self, Migration};
use crate::sql::Query;
use crate::store::Read;
use crate::{CommitError, OpenError, Unavailable, feed};

/// The longest wait for an answer to a whole transaction. Each statement has its own, shorter limit in the server.
const ANSWER: Duration = Duration::from_secs(6);
/// How often a batch that met a deadlock is tried again.
const RETRIES: u32 = 3;

pub(crate) struct Postgres {
    pool: Pool,
    sequencer: Arc<Sequencer>,
    polling: AbortHandle,
}

impl Postgres {
    pub async fn open(dsn: &Secret, clock: &Clock) -> Result<Self, OpenError> {
        Self::open_at(dsn, clock, migration::POSTGRES).await
    }

    pub async fn open_at(dsn: &Secret, clock: &Clock, known: &'static [Migration]) -> Result<Self, OpenError> {
        let (pool, at) = connection::pool(dsn)?;
        migrate::run(&pool, known, clock.now()).await.map_err(|error| match error {
            OpenError::Unavailable(Unavailable(cause)) => OpenError::Unavailable(Unavailable(format!("{at}: {cause}"))),
            other => other,
        })?;
        let begin = Batch::of_steps(vec![feed::begin(clock.now())], clock.now());
        execute(&pool, &begin).await.map_err(|failure| OpenError::Unavailable(failure.into()))?;
        let sequencer = Sequencer::start(pool.clone(), clock.clone()).await.map_err(|failure| OpenError::Unavailable(failure.into()))?;
        let polling = tokio::spawn(Arc::clone(&sequencer).poll()).abort_handle();
        Ok(Self { pool, sequencer, polling })
    }

    pub async fn commit(&self, batch: Batch) -> Result<Done, CommitError> {
        let mut attempt = 0;
        let applied = loop {
            match execute(&self.pool, &batch).await {
                Err(Failure::Again(_)) if attempt < RETRIES => {
                    tokio::time::sleep(Duration::from_millis((4 << attempt) + u64::from(batch.jitter % 8))).await;
                    attempt += 1;
                }
                other => break other?,
            }
        };
        let position = if applied.changes { self.settle().await } else { self.sequencer.head() };
        Ok(Done { position, touched: applied.touched })
    }

    pub async fn rows<T>(&self, queries: Vec<Query<T>>) -> Result<Vec<Read<T>>, Unavailable> {
        let mut client = client(&self.pool).await?;
        let outcome = timeout(ANSWER, transaction::rows(&mut client, queries)).await;
        finish(client, outcome).map_err(Unavailable::from)
    }

    /// Moves all that is committed onto the feed and says where it ends. A failure here undoes nothing: the next poll does it.
    pub async fn settle(&self) -> Position {
        if let Err(failure) = self.sequencer.settle().await {
            tracing::warn!(?failure, "changes are committed, but are not on the feed yet");
        }
        self.sequencer.head()
    }

    pub fn subscribe(&self) -> watch::Receiver<Position> {
        self.sequencer.subscribe()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

impl From<Failure> for Unavailable {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Broken(cause) | Failure::Again(cause) => Self(cause),
            Failure::Conflict(index) => Self(format!("step {index} did not touch the row it should")),
        }
    }
}

async fn execute(pool: &Pool, batch: &Batch) -> Result<transaction::Applied, Failure> {
    let mut client = client(pool).await.map_err(|Unavailable(cause)| Failure::Broken(cause))?;
    let outcome = timeout(ANSWER, transaction::run(&mut client, batch)).await;
    finish(client, outcome)
}

async fn client(pool: &Pool) -> Result<Client, Unavailable> {
    pool.get().await.map_err(|error| {
        Unavailable(match error {
            PoolError::Backend(error) => connection::describe(&error),
            PoolError::Timeout(_) => "PostgreSQL did not answer in time".to_owned(),
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => "the pool is closed".to_owned(),
        })
    })
}

/// A connection whose state is not known goes; one that only lost a race stays.
fn finish<T>(client: Client, outcome: Result<Result<T, Failure>, tokio::time::error::Elapsed>) -> Result<T, Failure> {
    let outcome = outcome.unwrap_or_else(|_| Err(Failure::Broken("PostgreSQL did not answer in time".to_owned())));
    if matches!(outcome, Err(Failure::Broken(_))) {
        drop(Object::take(client));
    }
    outcome
}
