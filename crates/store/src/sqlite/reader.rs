//! Reading: a few connections, each used by one thread at a time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, params_from_iter};
use tokio::sync::Semaphore;

use super::connection::{create_private, open_reader};
use super::{blocking, unavailable};
use crate::Unavailable;
use crate::sql::{Query, Row};
use crate::store::Read;

/// Most connections that read at once: enough to keep the cores busy, few enough to stay small.
const READERS: usize = 4;

pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
}

impl Readers {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Vec::new()), places: Semaphore::new(READERS) }
    }

    /// Lends a connection to `work`.
    pub async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let _place = self.places.acquire().await.map_err(unavailable)?;
        let readers = Arc::clone(self);
        blocking(move || {
            let idle = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = idle.map_or_else(|| open_reader(&readers.path), Ok)?;
            let outcome = work(&connection)?;
            readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            Ok(outcome)
        })
        .await?
        .map_err(|error: rusqlite::Error| unavailable(error))
    }
}

/// The rows of all queries, as of one moment.
pub(super) fn rows<T>(connection: &Connection, queries: Vec<Query<T>>) -> rusqlite::Result<Vec<Read<T>>> {
    // A single statement is one moment by itself.
    let _one_moment = if queries.len() > 1 { Some(connection.unchecked_transaction()?) } else { None };
    let mut found = Vec::new();
    for Query { what, sql, params, read } in queries {
        let mut statement = connection.prepare_cached(sql.sqlite)?;
        let mut rows = statement.query(params_from_iter(&params))?;
        while let Some(row) = rows.next()? {
            found.push(read(&mut Row::sqlite(row)).map_err(|invalid| (what, invalid)));
        }
    }
    Ok(found)
}

/// A compact copy of the database as of one moment, while others read and write.
pub(super) fn backup(connection: &Connection, to: &Path) -> rusqlite::Result<()> {
    let io = |error: std::io::Error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
    create_private(to).map_err(io)?;
    let name = to.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(to.to_owned()))?;
    connection.execute("VACUUM INTO ?1", [name])?;
    File::open(to).and_then(|file| file.sync_all()).map_err(io)?;
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(io)
}
