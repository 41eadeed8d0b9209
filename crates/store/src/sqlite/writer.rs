//! Writing: one thread. The batches that wait share one transaction and one flush to disk; each stands or falls by itself.

use durward_base::Timestamp;
use durward_model::{Position, Record};
use rusqlite::ffi::{SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
use rusqlite::{Connection, ErrorCode, params_from_iter};
use tokio::sync::{mpsc, oneshot, watch};

use super::unavailable;
use crate::batch::{Batch, Done, Failure};
use crate::sql::{Guard, Invalid, Row, Sql, Step, Then, Value};
use crate::{CommitError, Unavailable, feed, revocation};

/// Most batches in one transaction.
const GROUP: usize = 256;
/// Most batches that wait; further ones wait to wait.
const QUEUE: usize = 1_024;

pub(super) struct Writer(mpsc::Sender<Job>);

struct Job {
    batch: Batch,
    answer: oneshot::Sender<Result<Done, CommitError>>,
}

impl Writer {
    /// Starts the thread. It ends with the last handle, or when the disk fails.
    pub fn start(connection: Connection) -> Result<(Self, watch::Receiver<Position>), Unavailable> {
        let head = position(&connection).map_err(|failure| Unavailable(format!("the feed has no head: {failure:?}")))?;
        let (sender, jobs) = mpsc::channel(QUEUE);
        let (ring, bell) = watch::channel(head);
        let thread = std::thread::Builder::new().name("store-writer".to_owned());
        thread.spawn(move || write(&connection, jobs, &ring)).map_err(unavailable)?;
        Ok((Self(sender), bell))
    }

    pub async fn commit(&self, batch: Batch) -> Result<Done, CommitError> {
        let stopped = || CommitError::Unavailable(unavailable("the writer has stopped: look for an error of the disk, then restart"));
        let (answer, outcome) = oneshot::channel();
        self.0.send(Job { batch, answer }).await.map_err(|_| stopped())?;
        outcome.await.map_err(|_| stopped())?
    }
}

fn write(connection: &Connection, mut jobs: mpsc::Receiver<Job>, ring: &watch::Sender<Position>) {
    while let Some(first) = jobs.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = jobs.try_recv()
        {
            group.push(next);
        }
        let (batches, answers): (Vec<_>, Vec<_>) = group.into_iter().map(|job| (job.batch, job.answer)).unzip();
        let outcomes = commit(connection, &batches);
        let head = outcomes.iter().flatten().filter_map(|outcome| outcome.as_ref().ok()).next_back().map(|done| done.position);
        if let Some(head) = head {
            ring.send_if_modified(|known| std::mem::replace(known, head) != head);
        }
        let failed_disk = matches!(&outcomes, Err(error) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure));
        answer(answers, outcomes);
        // What the disk holds after a failed flush is not known, and a second flush that succeeds would not say.
        if failed_disk {
            tracing::error!("the disk failed under the store: no more is written until a restart");
            return;
        }
    }
}

fn answer(answers: Vec<oneshot::Sender<Result<Done, CommitError>>>, outcomes: rusqlite::Result<Vec<Result<Done, Failure>>>) {
    match outcomes {
        Ok(outcomes) => {
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                let _ = answer.send(outcome.map_err(CommitError::from));
            }
        }
        Err(error) => {
            tracing::error!(%error, "a transaction failed");
            for answer in answers {
                let _ = answer.send(Err(CommitError::Unavailable(unavailable(&error))));
            }
        }
    }
}

/// Runs the batches in one transaction, each within a savepoint. An error is everyone's: nothing happened.
fn commit(connection: &Connection, batches: &[Batch]) -> rusqlite::Result<Vec<Result<Done, Failure>>> {
    execute(connection, "BEGIN IMMEDIATE")?;
    let run = || {
        let outcomes = batches.iter().map(|batch| savepoint(connection, batch)).collect::<Result<Vec<_>, _>>()?;
        execute(connection, "COMMIT")?;
        Ok(outcomes)
    };
    run().inspect_err(|_| {
        if !connection.is_autocommit() {
            let _ = execute(connection, "ROLLBACK");
        }
    })
}

fn savepoint(connection: &Connection, batch: &Batch) -> rusqlite::Result<Result<Done, Failure>> {
    execute(connection, "SAVEPOINT batch")?;
    let outcome = run(connection, batch);
    if outcome.is_err() {
        execute(connection, "ROLLBACK TO batch")?;
    }
    execute(connection, "RELEASE batch")?;
    Ok(outcome)
}

fn run(connection: &Connection, batch: &Batch) -> Result<Done, Failure> {
    let mut touched = 0;
    for (index, step) in &batch.steps {
        let rows = apply(connection, step, batch.at).map_err(|error| error.of(*index))?;
        if step.guard == Guard::One && rows != 1 {
            return Err(Failure::Conflict(*index));
        }
        touched += rows;
    }
    Ok(Done { position: position(connection)?, touched })
}

/// Runs a step and what follows from it; says how many rows it touched.
fn apply(connection: &Connection, step: &Step, at: Timestamp) -> Result<u64, StepError> {
    match &step.then {
        Then::Nothing => {
            let mut statement = connection.prepare_cached(step.sql.sqlite)?;
            Ok(statement.execute(params_from_iter(&step.params))? as u64)
        }
        Then::Append(read) => {
            let records = returned(connection, step, |row| read(row))?;
            records.iter().try_for_each(|record| append(connection, record, at))?;
            Ok(records.len() as u64)
        }
        Then::Revoke(read) => {
            let revocations = returned(connection, step, |row| read(row))?;
            revocations.iter().flat_map(revocation::follow).try_for_each(|step| apply(connection, &step, at).map(drop))?;
            Ok(revocations.len() as u64)
        }
    }
}

fn returned<T>(connection: &Connection, step: &Step, read: impl Fn(&mut Row<'_>) -> Result<T, Invalid>) -> Result<Vec<T>, StepError> {
    let mut statement = connection.prepare_cached(step.sql.sqlite)?;
    let mut rows = statement.query(params_from_iter(&step.params))?;
    let mut read_rows = Vec::new();
    while let Some(row) = rows.next()? {
        read_rows.push(read(&mut Row::sqlite(row)).map_err(StepError::Invalid)?);
    }
    Ok(read_rows)
}

fn append(connection: &Connection, record: &Record, at: Timestamp) -> Result<(), StepError> {
    run_text(connection, feed::ADVANCE, &[])?;
    run_text(connection, feed::APPEND, &[at.into(), feed::text(record)])?;
    Ok(())
}

fn run_text(connection: &Connection, sql: Sql, params: &[Value]) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql.sqlite)?.execute(params_from_iter(params))
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

fn position(connection: &Connection) -> Result<Position, StepError> {
    let mut statement = connection.prepare_cached(feed::HEAD.sqlite)?;
    let mut rows = statement.query([])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    feed::read_position(&mut Row::sqlite(row)).map_err(StepError::Invalid)
}

#[derive(Debug)]
enum StepError {
    Sqlite(rusqlite::Error),
    Invalid(Invalid),
}

impl StepError {
    /// A broken uniqueness or reference is a lost race of the write with this index.
    fn of(self, index: usize) -> Failure {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _))
                if [SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_FOREIGNKEY]
                    .contains(&error.extended_code) =>
            {
                Failure::Conflict(index)
            }
            other => other.into(),
        }
    }
}

impl From<rusqlite::Error> for StepError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        Self::Broken(match error {
            StepError::Sqlite(error) => format!("SQLite: {error}"),
            StepError::Invalid(Invalid { column, expected }) => {
                format!("the batch met an invalid row: `{column}` does not hold {expected}")
            }
        })
    }
}
