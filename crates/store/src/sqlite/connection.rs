//! Connections to the file, and how its schema is brought up to date.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use durward_base::{Duration, Timestamp};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, Value as SqliteValue, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, TransactionBehavior, params};

use super::unavailable;
use crate::migration::{self, Migration};
use crate::sql::Value;
use crate::{OpenError, feed};

/// The connection that writes, over a schema that is up to date.
pub(super) fn open(path: &Path, known: &[Migration], now: Timestamp) -> Result<Connection, OpenError> {
    let directory = |error: io::Error| OpenError::Unavailable(unavailable(format!("{}: {error}", path.display())));
    // SQLite gives its journal the mode of the file, so that this covers all of it.
    create_private(path)
        .or_else(|error| if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })
        .map_err(directory)?;
    let failed = |error: rusqlite::Error| OpenError::Unavailable(unavailable(format!("{}: {error}", path.display())));
    let mut connection = Connection::open(path).map_err(failed)?;
    configure(&connection).map_err(failed)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;").map_err(failed)?;
    // 32 MiB: the writer stops for a checkpoint more seldom, and a page that many batches change is copied once.
    connection.execute_batch("PRAGMA wal_autocheckpoint = 8192;").map_err(failed)?;
    while migrate(&mut connection, known, now)? {}
    let begin = feed::begin(now);
    connection.execute(begin.sql.sqlite, rusqlite::params_from_iter(&begin.params)).map_err(failed)?;
    Ok(connection)
}

/// A connection that can only read.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    configure(&connection)?;
    Ok(connection)
}

/// Makes a file that only we may read; it must not exist.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).and_then(|file: File| file.sync_all())
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(SqliteValue::Null),
            Self::Integer(number) => ToSqlOutput::Owned(SqliteValue::Integer(*number)),
            Self::Boolean(flag) => ToSqlOutput::Owned(SqliteValue::Integer(i64::from(*flag))),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Id(id) => ToSqlOutput::Borrowed(ValueRef::Blob(id)),
        })
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(128);
    connection.busy_timeout(Duration::from_secs(5))?;
    // A statement is planned once. Without this one whose plan might turn out better for other values is planned anew for each.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A file that was tampered with runs no code of its own.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(())
}

/// Runs the next migration in a transaction of its own: whoever dies within it leaves no trace. Says whether there was one.
fn migrate(connection: &mut Connection, known: &[Migration], now: Timestamp) -> Result<bool, OpenError> {
    let failed = |error: rusqlite::Error| OpenError::Unavailable(unavailable(error));
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    transaction.execute_batch(migration::TABLE.sqlite).map_err(failed)?;
    let applied = applied(&transaction).map_err(failed)?;
    let Some(migration) = migration::next(known, &applied)? else {
        return Ok(false);
    };
    let step = || {
        transaction.execute_batch(migration.text)?;
        transaction.execute(migration::APPLY.sqlite, params![migration.number, migration.checksum(), now.millis()])
    };
    step().map_err(|error| migration.failed(error))?;
    transaction.commit().map_err(|error| migration.failed(error))?;
    Ok(true)
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    connection.prepare(migration::APPLIED.sqlite)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
