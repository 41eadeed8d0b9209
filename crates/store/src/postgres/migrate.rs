//! Bringing the schema up to date: one node at a time, the others wait for it.

use deadpool_postgres::{Client, Pool};
use durward_base::Timestamp;
use tokio_postgres::types::ToSql;

use super::{client, connection};
use crate::migration::{self, Migration};
use crate::{OpenError, Unavailable};

/// Waits half a minute for another node's migration, but only two seconds for a table that is in use: a statement that waits for a lock holds
/// up everyone behind it.
const LOCK: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '30s';
    SELECT pg_advisory_xact_lock(7237128823541916530);
    SET LOCAL lock_timeout = '2s'";

pub(super) async fn run(pool: &Pool, known: &[Migration], now: Timestamp) -> Result<(), OpenError> {
    let mut client = client(pool).await.map_err(OpenError::Unavailable)?;
    while step(&mut client, known, now).await? {}
    Ok(())
}

/// Runs the next migration in a transaction of its own: whoever dies within it leaves no trace. Says whether there was one.
async fn step(client: &mut Client, known: &[Migration], now: Timestamp) -> Result<bool, OpenError> {
    let failed = |error: tokio_postgres::Error| OpenError::Unavailable(Unavailable(connection::describe(&error)));
    let transaction = client.transaction().await.map_err(failed)?;
    transaction.batch_execute(LOCK).await.map_err(failed)?;
    transaction.batch_execute(migration::TABLE.postgres).await.map_err(failed)?;
    let applied: Vec<(i64, String)> = transaction
        .query(migration::APPLIED.postgres, &[])
        .await
        .map_err(failed)?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_, tokio_postgres::Error>>()
        .map_err(failed)?;
    let Some(migration) = migration::next(known, &applied)? else {
        return Ok(false);
    };
    let failed = |error: tokio_postgres::Error| migration.failed(connection::describe(&error));
    transaction.batch_execute(migration.text).await.map_err(failed)?;
    let row: [&(dyn ToSql + Sync); 3] = [&migration.number, &migration.checksum(), &now.millis()];
    transaction.execute(migration::APPLY.postgres, &row).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(true)
}
