//! One batch as one transaction, and reads as of one moment.

use deadpool_postgres::{Client, Transaction};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, Row as PostgresRow};

use super::{connection, sequencer};
use crate::batch::{Batch, Failure};
use crate::sql::{Guard, Invalid, Query, Row, Step, Then, Value};
use crate::store::Read;
use crate::{feed, revocation};

/// What a batch did before it was committed.
#[derive(Default)]
pub(super) struct Applied {
    /// How many rows its steps touched.
    pub touched: u64,
    /// Whether it left changes for the feed.
    pub changes: bool,
}

/// Runs a batch. Every guard is in the statement that it guards, so READ COMMITTED is enough and needs no retries.
pub(super) async fn run(client: &mut Client, batch: &Batch) -> Result<Applied, Failure> {
    let started = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await;
    let transaction = started.map_err(|error| failure(&error, 0))?;
    let mut applied = Applied::default();
    for (index, step) in &batch.steps {
        let rows = apply(&transaction, *index, step, &mut applied).await?;
        if step.guard == Guard::One && rows != 1 {
            return Err(Failure::Conflict(*index));
        }
        applied.touched += rows;
    }
    transaction.commit().await.map_err(|error| failure(&error, 0))?;
    Ok(applied)
}

/// The rows of all queries, as of one moment.
pub(super) async fn rows<T>(client: &mut Client, queries: Vec<Query<T>>) -> Result<Vec<Read<T>>, Failure> {
    let failed = |error: tokio_postgres::Error| failure(&error, 0);
    let mut found = Vec::new();
    let mut collect = |rows: Vec<PostgresRow>, what, read: fn(&mut Row<'_>) -> Result<T, Invalid>| {
        found.extend(rows.iter().map(|row| read(&mut Row::postgres(row)).map_err(|invalid| (what, invalid))));
    };
    if let [Query { what, sql, params, read }] = queries.as_slice() {
        let statement = client.prepare_cached(sql.postgres).await.map_err(failed)?;
        collect(client.query(&statement, &borrowed(params)).await.map_err(failed)?, *what, *read);
        return Ok(found);
    }
    let one_moment = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let transaction = one_moment.start().await.map_err(failed)?;
    for Query { what, sql, params, read } in &queries {
        let statement = transaction.prepare_cached(sql.postgres).await.map_err(failed)?;
        collect(transaction.query(&statement, &borrowed(params)).await.map_err(failed)?, *what, *read);
    }
    transaction.commit().await.map_err(failed)?;
    Ok(found)
}

/// Runs a step and what follows from it; says how many rows it touched.
async fn apply(transaction: &Transaction<'_>, index: usize, step: &Step, applied: &mut Applied) -> Result<u64, Failure> {
    let failed = |error: tokio_postgres::Error| failure(&error, index);
    let statement = transaction.prepare_cached(step.sql.postgres).await.map_err(failed)?;
    let params = borrowed(&step.params);
    match &step.then {
        Then::Nothing => transaction.execute(&statement, &params).await.map_err(failed),
        Then::Append(read) => {
            let rows = transaction.query(&statement, &params).await.map_err(failed)?;
            for row in &rows {
                let record = read(&mut Row::postgres(row)).map_err(invalid)?;
                let enqueue = transaction.prepare_cached(sequencer::ENQUEUE).await.map_err(failed)?;
                transaction.execute(&enqueue, &[&feed::text(&record)]).await.map_err(failed)?;
                applied.changes = true;
            }
            Ok(rows.len() as u64)
        }
        Then::Revoke(read) => {
            let rows = transaction.query(&statement, &params).await.map_err(failed)?;
            for row in &rows {
                let revocation = read(&mut Row::postgres(row)).map_err(invalid)?;
                for step in revocation::follow(&revocation) {
                    Box::pin(apply(transaction, index, &step, applied)).await?;
                }
            }
            Ok(rows.len() as u64)
        }
    }
}

fn borrowed(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// A broken uniqueness or reference is a lost race of the write with this index.
pub(super) fn failure(error: &tokio_postgres::Error, index: usize) -> Failure {
    match error.code() {
        Some(code) if [SqlState::UNIQUE_VIOLATION, SqlState::FOREIGN_KEY_VIOLATION].contains(code) => Failure::Conflict(index),
        Some(code) if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code) => {
            Failure::Again(connection::describe(error))
        }
        _ => Failure::Broken(connection::describe(error)),
    }
}

fn invalid(Invalid { column, expected }: Invalid) -> Failure {
    Failure::Broken(format!("the batch met an invalid row: `{column}` does not hold {expected}"))
}
