//! Statements as data: text for both dialects, values in, rows out.

use durward_base::Timestamp;
use durward_model::{Record, Revocation};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A statement in both dialects, with `$1`, `$2` … for its parameters; `statements!` gives SQLite its `?1`, `?2` ….
#[derive(Clone, Copy)]
pub(crate) struct Sql {
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

impl Sql {
    /// One text that both understand.
    pub const fn shared(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text }
    }

    /// A text for each.
    pub const fn each(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }
}

/// Names the statements of a file, so that a test can prepare each of them on both databases.
macro_rules! statements {
    ($($(#[$doc:meta])* $visibility:vis $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* $visibility const $name: $crate::sql::Sql = {
            const WRITTEN: $crate::sql::Sql = $sql;
            const SQLITE: [u8; WRITTEN.sqlite.len()] = $crate::sql::question_marks(WRITTEN.sqlite);
            match std::str::from_utf8(&SQLITE) {
                Ok(sqlite) => $crate::sql::Sql::each(sqlite, WRITTEN.postgres),
                Err(_) => WRITTEN,
            }
        };)*

        #[cfg(test)]
        pub(crate) const STATEMENTS: &[(&str, $crate::sql::Sql)] = &[$((stringify!($name), $name)),*];
    };
}

/// A statement with the row lock that PostgreSQL needs at its end; SQLite has one writer and no such clause.
macro_rules! locked {
    ($text:expr, $lock:literal) => {
        $crate::sql::Sql::each($text, concat!($text, $lock))
    };
}

pub(crate) use {locked, statements};

/// A text with SQLite's form of parameters, made when it is compiled.
#[allow(clippy::indexing_slicing, reason = "a constant of the wrong length does not compile, and there are no iterators in constants")]
pub(crate) const fn question_marks<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let (text, mut bytes, mut at) = (text.as_bytes(), [0; LENGTH], 0);
    while at < LENGTH {
        bytes[at] = if text[at] == b'$' { b'?' } else { text[at] };
        at += 1;
    }
    bytes
}

/// A value for a parameter. No `Debug`: some are secret.
pub(crate) enum Value {
    Null,
    Integer(i64),
    Boolean(bool),
    Text(String),
    Bytes(Vec<u8>),
    Id([u8; 16]),
}

impl Value {
    /// JSON, in a text column.
    #[allow(clippy::expect_used, reason = "lists of text and plain records with text keys always have a JSON form")]
    pub fn json(value: &impl Serialize) -> Self {
        Self::Text(serde_json::to_string(value).expect("plain records have a JSON form"))
    }

    /// Whether it is a text that PostgreSQL cannot hold.
    pub fn holds_nul(&self) -> bool {
        matches!(self, Self::Text(text) if text.contains('\0'))
    }

    /// The word that an enum without fields is stored as: what serde calls it.
    #[allow(clippy::expect_used, reason = "enums without fields always have a JSON form")]
    pub fn word(value: &impl Serialize) -> Self {
        match serde_json::to_value(value).expect("enums have a JSON form") {
            serde_json::Value::String(word) => Self::Text(word),
            _ => Self::Null,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&Option<String>> for Value {
    fn from(text: &Option<String>) -> Self {
        text.as_ref().map_or(Self::Null, Self::from)
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Integer(time.millis())
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Null, Self::from)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Boolean(flag)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// A statement to run within a batch.
pub(crate) struct Step {
    pub sql: Sql,
    pub params: Vec<Value>,
    pub guard: Guard,
    pub then: Then,
}

/// How many rows a step must touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Exactly one, or the batch is rolled back.
    One,
    /// Any number.
    Any,
}

/// Makes something of a row.
type Reader<T> = Box<dyn Fn(&mut Row<'_>) -> Result<T, Invalid> + Send + Sync>;

/// What each row that a step returns stands for on the feed.
pub(crate) enum Then {
    Nothing,
    /// A change.
    Append(Reader<Record>),
    /// A revocation, to be kept in its table too.
    Revoke(Reader<Revocation>),
}

impl Step {
    /// A step that must touch one row.
    pub fn one(sql: Sql, params: impl Into<Vec<Value>>) -> Self {
        Self { sql, params: params.into(), guard: Guard::One, then: Then::Nothing }
    }

    /// A step that may touch any number of rows.
    pub fn any(sql: Sql, params: impl Into<Vec<Value>>) -> Self {
        Self { sql, params: params.into(), guard: Guard::Any, then: Then::Nothing }
    }

    /// Each row returned is a change.
    pub fn append(mut self, record: impl Fn(&mut Row<'_>) -> Result<Record, Invalid> + Send + Sync + 'static) -> Self {
        self.then = Then::Append(Box::new(record));
        self
    }

    /// Each row returned is a revocation.
    pub fn revoke(mut self, revocation: impl Fn(&mut Row<'_>) -> Result<Revocation, Invalid> + Send + Sync + 'static) -> Self {
        self.then = Then::Revoke(Box::new(revocation));
        self
    }
}

/// A question: what to run and how to read each row.
pub(crate) struct Query<T> {
    /// What is asked for, for the error when a row is invalid.
    pub what: &'static str,
    pub sql: Sql,
    pub params: Vec<Value>,
    pub read: fn(&mut Row<'_>) -> Result<T, Invalid>,
}

/// A stored value that is not what its column should hold. The value itself is not part of it: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub column: String,
    pub expected: &'static str,
}

/// A row, read column by column from the left.
pub(crate) struct Row<'a> {
    source: Source<'a>,
    next: usize,
}

enum Source<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl<'a> Row<'a> {
    pub const fn sqlite(row: &'a rusqlite::Row<'a>) -> Self {
        Self { source: Source::Sqlite(row), next: 0 }
    }

    pub const fn postgres(row: &'a tokio_postgres::Row) -> Self {
        Self { source: Source::Postgres(row), next: 0 }
    }

    pub fn text(&mut self) -> Result<String, Invalid> {
        self.column("text")
    }

    pub fn optional_text(&mut self) -> Result<Option<String>, Invalid> {
        self.column("text or null")
    }

    pub fn bytes(&mut self) -> Result<Vec<u8>, Invalid> {
        self.column("bytes")
    }

    pub fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>, Invalid> {
        self.column("bytes or null")
    }

    pub fn boolean(&mut self) -> Result<bool, Invalid> {
        self.column("true or false")
    }

    pub fn time(&mut self) -> Result<Timestamp, Invalid> {
        self.column("milliseconds").map(Timestamp::from_millis)
    }

    pub fn optional_time(&mut self) -> Result<Option<Timestamp>, Invalid> {
        Ok(self.column::<Option<i64>>("milliseconds or null")?.map(Timestamp::from_millis))
    }

    pub fn number<T: TryFrom<i64>>(&mut self) -> Result<T, Invalid> {
        let at = self.next;
        T::try_from(self.column("a number")?).map_err(|_| self.invalid(at, "a number in range"))
    }

    pub fn id(&mut self) -> Result<[u8; 16], Invalid> {
        let at = self.next;
        match self.source {
            Source::Sqlite(_) => self.column::<Vec<u8>>("16 bytes")?.try_into().map_err(|_| self.invalid(at, "16 bytes")),
            Source::Postgres(row) => {
                self.next += 1;
                row.try_get::<_, Id>(at).map(|id| id.0).map_err(|_| self.invalid(at, "an id"))
            }
        }
    }

    pub fn optional_id(&mut self) -> Result<Option<[u8; 16]>, Invalid> {
        let at = self.next;
        match self.source {
            Source::Sqlite(_) => {
                let bytes = self.optional_bytes()?;
                bytes.map(|bytes| bytes.try_into().map_err(|_| self.invalid(at, "16 bytes or null"))).transpose()
            }
            Source::Postgres(row) => {
                self.next += 1;
                let id = row.try_get::<_, Option<Id>>(at).map_err(|_| self.invalid(at, "an id or null"))?;
                Ok(id.map(|id| id.0))
            }
        }
    }

    pub fn json<T: DeserializeOwned>(&mut self) -> Result<T, Invalid> {
        let at = self.next;
        serde_json::from_str(&self.text()?).map_err(|_| self.invalid(at, "JSON of the right shape"))
    }

    pub fn optional_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Invalid> {
        let at = self.next;
        let text = self.optional_text()?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| self.invalid(at, "JSON of the right shape"))).transpose()
    }

    /// The reverse of [`Value::word`].
    pub fn word<T: DeserializeOwned>(&mut self) -> Result<T, Invalid> {
        let at = self.next;
        serde_json::from_value(serde_json::Value::String(self.text()?)).map_err(|_| self.invalid(at, "a word known to this version"))
    }

    fn column<T>(&mut self, expected: &'static str) -> Result<T, Invalid>
    where
        T: rusqlite::types::FromSql + for<'b> tokio_postgres::types::FromSql<'b>,
    {
        let at = self.next;
        self.next += 1;
        match self.source {
            Source::Sqlite(row) => row.get(at).map_err(|_| self.invalid(at, expected)),
            Source::Postgres(row) => row.try_get(at).map_err(|_| self.invalid(at, expected)),
        }
    }

    fn invalid(&self, at: usize, expected: &'static str) -> Invalid {
        let name = match self.source {
            Source::Sqlite(row) => row.as_ref().column_name(at).ok(),
            Source::Postgres(row) => row.columns().get(at).map(tokio_postgres::Column::name),
        };
        Invalid { column: name.unwrap_or("?").to_owned(), expected }
    }
}

/// PostgreSQL's `uuid`, without a crate in between.
pub(crate) struct Id(pub [u8; 16]);

impl<'a> tokio_postgres::types::FromSql<'a> for Id {
    fn from_sql(_: &tokio_postgres::types::Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    tokio_postgres::types::accepts!(UUID);
}
