//! The store: one type over two native backends.

use std::path::Path;
use std::sync::Arc;

use durward_base::Clock;
use durward_model::{Event, Position, Write};
use tokio::sync::watch;

use crate::batch::{Batch, Done};
use crate::postgres::Postgres;
use crate::sql::{Invalid, Query, Value};
use crate::sqlite::Sqlite;
use crate::{CommitError, OpenError, StoreError, StoreSettings, Unavailable};

/// The ledger, the declared resources, the keys, and the feed of their changes. A handle: clones share one store.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Backend>,
    pub(crate) clock: Clock,
}

/// What asks PostgreSQL is boxed: it is large, and a request on SQLite must not carry the room for it.
enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// A batch is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Whoever has followed the feed up to here knows all that the batch changed.
    pub position: Position,
}

impl Store {
    /// Opens the store and brings its schema up to date.
    pub async fn open(settings: &StoreSettings, clock: Clock) -> Result<Self, OpenError> {
        let backend = match settings {
            StoreSettings::Sqlite { path } => Backend::Sqlite(Sqlite::open(path, &clock).await?),
            StoreSettings::Postgres { dsn } => Backend::Postgres(Postgres::open(dsn, &clock).await?),
        };
        Ok(Self { backend: Arc::new(backend), clock })
    }

    /// Does all of `writes` and records `event`, or nothing. Returns when it is durable.
    pub async fn commit(&self, writes: &[Write], event: Event) -> Result<Committed, CommitError> {
        let done = self.execute(Batch::new(writes, &event)).await?;
        Ok(Committed { position: done.position })
    }

    /// Rings when the feed's head has moved: at once for this store's own commits, within 50 ms for those of other nodes.
    pub fn subscribe(&self) -> watch::Receiver<Position> {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.subscribe(),
            Backend::Postgres(postgres) => postgres.subscribe(),
        }
    }

    /// Writes a copy of a running SQLite store to a new file of mode 0600, as of one moment, on disk when this returns. PostgreSQL has its
    /// own tools.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.backup(to).await.map_err(StoreError::Unavailable),
            Backend::Postgres(_) => {
                Err(StoreError::Unsupported("a store in PostgreSQL is backed up by PostgreSQL's tools: pg_basebackup or pg_dump"))
            }
        }
    }

    /// The one row that a key leads to. A text with NUL leads to none, as in [`Store::rows`].
    pub(crate) async fn one<T: Send + 'static>(&self, query: Query<T>) -> Result<Option<T>, StoreError> {
        if query.params.iter().any(Value::holds_nul) {
            return Ok(None);
        }
        let row = match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.one(query).await,
            Backend::Postgres(postgres) => Box::pin(postgres.rows(vec![query])).await.map(|rows| rows.into_iter().next()),
        };
        let row = row.map_err(StoreError::Unavailable)?;
        row.transpose().map_err(|(what, Invalid { column, expected })| StoreError::Corrupt { what, column, expected })
    }

    /// The rows asked for. One that cannot be read is reported and left out: it must not take the others with it.
    pub(crate) async fn list<T: Send + 'static>(&self, query: Query<T>) -> Result<Vec<T>, StoreError> {
        Ok(valid(self.rows(vec![query]).await?))
    }

    /// The rows of several queries, as of one moment. A text with NUL is in no row: PostgreSQL keeps none, and would call the question broken.
    pub(crate) async fn rows<T: Send + 'static>(&self, mut queries: Vec<Query<T>>) -> Result<Vec<Read<T>>, StoreError> {
        queries.retain(|query| !query.params.iter().any(Value::holds_nul));
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.rows(queries).await,
            Backend::Postgres(postgres) => Box::pin(postgres.rows(queries)).await,
        }
        .map_err(StoreError::Unavailable)
    }

    /// Runs steps that are no decision's and guard nothing.
    pub(crate) async fn run(&self, batch: Batch) -> Result<Done, StoreError> {
        self.execute(batch).await.map_err(|error| match error {
            CommitError::Unavailable(cause) => StoreError::Unavailable(cause),
            CommitError::Conflict { .. } => StoreError::Unavailable(Unavailable(error.to_string())),
        })
    }

    /// Makes every committed change visible on the feed.
    pub(crate) async fn settle(&self) {
        if let Backend::Postgres(postgres) = &*self.backend {
            postgres.settle().await;
        }
    }

    async fn execute(&self, batch: Batch) -> Result<Done, CommitError> {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.commit(batch).await,
            Backend::Postgres(postgres) => Box::pin(postgres.commit(batch)).await,
        }
    }
}

/// A row as read, or what it was to be and why it is not.
pub(crate) type Read<T> = Result<T, (&'static str, Invalid)>;

/// The rows that can be read; the others are reported.
pub(crate) fn valid<T>(rows: Vec<Read<T>>) -> Vec<T> {
    let report = |(what, Invalid { column, expected })| tracing::error!(what, column, expected, "a stored row is invalid and was left out");
    rows.into_iter().filter_map(|row| row.map_err(report).ok()).collect()
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &*self.backend {
            Backend::Sqlite(_) => "Store(SQLite)",
            Backend::Postgres(_) => "Store(PostgreSQL)",
        })
    }
}
