//! SQLite: one writer thread with group commit, one thread that looks keys up, and a few connections that read the rest.

mod connection;
mod lookup;
mod reader;
mod writer;

use std::path::Path;
use std::sync::Arc;

use durward_base::Clock;
use durward_model::Position;
use tokio::sync::watch;

use self::lookup::Lookup;
use self::reader::Readers;
use self::writer::Writer;
use crate::batch::{Batch, Done};
use crate::migration::{self, Migration};
use crate::sql::Query;
use crate::store::Read;
use crate::{CommitError, OpenError, Unavailable};

pub(crate) struct Sqlite {
    writer: Writer,
    lookup: Lookup,
    readers: Arc<Readers>,
    head: watch::Receiver<Position>,
}

impl Sqlite {
    pub async fn open(path: &Path, clock: &Clock) -> Result<Self, OpenError> {
        Self::open_at(path, clock, migration::SQLITE).await
    }

    pub async fn open_at(path: &Path, clock: &Clock, known: &'static [Migration]) -> Result<Self, OpenError> {
        let (file, now) = (path.to_owned(), clock.now());
        let connection = blocking(move || connection::open(&file, known, now)).await.map_err(OpenError::Unavailable)??;
        let (writer, head) = Writer::start(connection).map_err(OpenError::Unavailable)?;
        let lookup = Lookup::start(path).map_err(OpenError::Unavailable)?;
        Ok(Self { writer, lookup, readers: Arc::new(Readers::new(path)), head })
    }

    pub async fn commit(&self, batch: Batch) -> Result<Done, CommitError> {
        self.writer.commit(batch).await
    }

    pub async fn one<T: Send + 'static>(&self, query: Query<T>) -> Result<Option<Read<T>>, Unavailable> {
        self.lookup.one(query).await
    }

    pub async fn rows<T: Send + 'static>(&self, queries: Vec<Query<T>>) -> Result<Vec<Read<T>>, Unavailable> {
        self.readers.with(move |connection| reader::rows(connection, queries)).await
    }

    pub async fn backup(&self, to: &Path) -> Result<(), Unavailable> {
        let to = to.to_owned();
        self.readers.with(move |connection| reader::backup(connection, &to)).await
    }

    pub fn subscribe(&self) -> watch::Receiver<Position> {
        self.head.clone()
    }
}

/// Runs what may block beside the runtime's own threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Unavailable> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Unavailable(format!("a task of the store ended: {error}")))
}

fn unavailable(error: impl std::fmt::Display) -> Unavailable {
    Unavailable(format!("SQLite: {error}"))
}
