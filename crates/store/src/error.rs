//! What can go wrong, in words that hold no stored value and no DSN.

use durward_model::Position;

/// The database could not be reached, did not answer in time, or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store is unavailable: {0}")]
pub struct Unavailable(pub(crate) String);

/// Why a read or a step of housekeeping failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database could not be reached, did not answer in time, or failed.
    #[error(transparent)]
    Unavailable(Unavailable),
    /// A row holds something that this version cannot read; other rows are not concerned.
    #[error("a stored {what} is invalid: column `{column}` does not hold {expected}")]
    Corrupt {
        /// What was asked for.
        what: &'static str,
        /// The column.
        column: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The feed does not hold what follows `since`: another epoch, or dropped by now. Take a snapshot.
    #[error("the feed does not hold what follows {}:{}: take a snapshot", since.epoch, since.seq)]
    Gap {
        /// The position asked for.
        since: Position,
    },
    /// This backend does not do that; the message says what does.
    #[error("{0}")]
    Unsupported(&'static str),
}

/// Why a batch was not committed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A guard missed: someone else was first. Nothing of the batch happened; load, decide again.
    #[error("write {write_index} of the batch lost a race")]
    Conflict {
        /// Which write; the number of writes when it was the event, whose id is recorded already.
        write_index: usize,
    },
    /// It is not known to have happened: the database failed or did not answer in time.
    #[error(transparent)]
    Unavailable(Unavailable),
}

/// Why a store could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The settings cannot be used.
    #[error("store settings: {0}")]
    Settings(String),
    /// The database could not be reached or failed.
    #[error(transparent)]
    Unavailable(Unavailable),
    /// The schema is from a newer version.
    #[error("the store's schema is at migration {found}, this version knows {known}: start the version that wrote it, or a newer one")]
    Newer {
        /// The newest migration found.
        found: i64,
        /// The newest migration this version knows.
        known: i64,
    },
    /// A migration that was applied is not the one of this version.
    #[error("migration {number} was applied with another text than this version's: the store belongs to another build")]
    Changed {
        /// Which.
        number: i64,
    },
    /// A migration failed; the schema is as before it.
    #[error("migration {number} failed: {cause}")]
    Migration {
        /// Which.
        number: i64,
        /// What the database said.
        cause: String,
    },
}
