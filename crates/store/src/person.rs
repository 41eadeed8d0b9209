//! People and their password hashes.

use std::fmt;
use std::str::FromStr;

use durward_base::{PersonId, Secret, Timestamp, base64url};
use durward_model::Person;

use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError, session};

/// The columns of a person, for [`read`].
macro_rules! columns {
    () => {
        "person.id, person.realm, person.sub, person.username, person.display_name, person.email, person.roles, person.groups, \
         person.disabled, person.version, person.created"
    };
}

pub(crate) use columns;

statements! {
    CREATE = Sql::shared(
        "INSERT INTO person (realm, id, sub, username, display_name, email, roles, groups, disabled, version, created, password_hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
    );
    UPDATE = Sql::shared(
        "UPDATE person SET username = $3, display_name = $4, email = $5, roles = $6, groups = $7, disabled = $8, version = $9
         WHERE realm = $1 AND id = $2 AND version = $10",
    );
    SET_PASSWORD = Sql::shared("UPDATE person SET password_hash = $3 WHERE realm = $1 AND id = $2");
    DELETE = Sql::shared("DELETE FROM person WHERE realm = $1 AND id = $2");
    BY_ID = Sql::shared(concat!("SELECT ", columns!(), " FROM person WHERE realm = $1 AND id = $2"));
    BY_SUB = Sql::shared(concat!("SELECT ", columns!(), " FROM person WHERE realm = $1 AND sub = $2"));
    BY_USERNAME = Sql::shared(concat!("SELECT ", columns!(), ", person.password_hash FROM person WHERE realm = $1 AND username = $2"));
    PAGE = Sql::shared(concat!("SELECT ", columns!(), " FROM person WHERE realm = $1 AND username > $2 ORDER BY username LIMIT $3"));
}

/// Most people on one page.
pub const PEOPLE_PAGE: usize = 200;

/// A person with what their password is checked against.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Who.
    pub person: Person,
    /// argon2id in PHC form; `None` when the person has no password.
    pub password_hash: Option<Secret>,
}

/// One page of a realm's people, by username.
#[derive(Debug, Clone)]
pub struct People {
    /// At most [`PEOPLE_PAGE`] of them.
    pub people: Vec<Person>,
    /// Where the next page begins, when there may be one.
    pub next: Option<PersonCursor>,
}

/// A place in the list of people. Its text form is opaque to callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonCursor(String);

impl fmt::Display for PersonCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(self.0.as_bytes()))
    }
}

/// A text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: expected the `next` of an earlier page")]
pub struct CursorError;

impl FromStr for PersonCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let bytes = base64url::decode(text).ok_or(CursorError)?;
        String::from_utf8(bytes).map(Self).map_err(|_| CursorError)
    }
}

impl Store {
    /// The person with this id.
    pub async fn person(&self, realm: &str, id: PersonId) -> Result<Option<Person>, StoreError> {
        self.one(query(BY_ID, vec![realm.into(), Value::Id(id.to_bytes())])).await
    }

    /// The person with this `sub`.
    pub async fn person_by_sub(&self, realm: &str, sub: &str) -> Result<Option<Person>, StoreError> {
        self.one(query(BY_SUB, vec![realm.into(), sub.into()])).await
    }

    /// The person who logs in with this name, in canonical form.
    pub async fn person_by_username(&self, realm: &str, username: &str) -> Result<Option<Credentials>, StoreError> {
        let params = vec![realm.into(), username.into()];
        self.one(Query { what: "person", sql: BY_USERNAME, params, read: read_credentials }).await
    }

    /// The realm's people after `after`, at most `limit` and never more than [`PEOPLE_PAGE`].
    pub async fn people(&self, realm: &str, after: Option<&PersonCursor>, limit: usize) -> Result<People, StoreError> {
        let limit = limit.clamp(1, PEOPLE_PAGE);
        let from = after.map_or("", |cursor| cursor.0.as_str());
        let params = vec![realm.into(), from.into(), Value::from(limit as u64)];
        let people = self.list(query(PAGE, params)).await?;
        let next = people.last().filter(|_| people.len() == limit).map(|last| PersonCursor(last.username.clone()));
        Ok(People { people, next })
    }
}

pub(crate) fn create(person: &Person, password_hash: &Option<String>) -> Vec<Step> {
    let mut params = fields(person);
    params.insert(2, Value::from(&person.sub));
    params.extend([person.created.into(), password_hash.into()]);
    vec![Step::one(CREATE, params)]
}

pub(crate) fn update(person: &Person) -> Vec<Step> {
    let mut params = fields(person);
    params.push(person.version.saturating_sub(1).into());
    vec![Step::one(UPDATE, params)]
}

pub(crate) fn set_password(realm: &str, person: PersonId, hash: &Option<String>) -> Vec<Step> {
    vec![Step::one(SET_PASSWORD, [realm.into(), Value::Id(person.to_bytes()), hash.into()])]
}

/// Their logins end first, so that every node learns of it; then they go, and all that hangs on them goes with them.
pub(crate) fn delete(realm: &str, person: PersonId, at: Timestamp) -> Vec<Step> {
    let mut steps = session::end_all_of(realm, person, at, "deleted");
    steps.push(Step::one(DELETE, [realm.into(), Value::Id(person.to_bytes())]));
    steps
}

/// Reads [`columns`].
pub(crate) fn read(row: &mut Row<'_>) -> Result<Person, Invalid> {
    Ok(Person {
        id: PersonId::from_bytes(row.id()?),
        realm: row.text()?,
        sub: row.text()?,
        username: row.text()?,
        display_name: row.optional_text()?,
        email: row.optional_text()?,
        roles: row.json()?,
        groups: row.json()?,
        disabled: row.boolean()?,
        version: row.number()?,
        created: row.time()?,
    })
}

fn read_credentials(row: &mut Row<'_>) -> Result<Credentials, Invalid> {
    Ok(Credentials { person: read(row)?, password_hash: row.optional_text()?.map(Secret::new) })
}

fn query(sql: Sql, params: Vec<Value>) -> Query<Person> {
    Query { what: "person", sql, params, read }
}

fn fields(person: &Person) -> Vec<Value> {
    vec![
        Value::from(&person.realm),
        Value::Id(person.id.to_bytes()),
        Value::from(&person.username),
        Value::from(&person.display_name),
        Value::from(&person.email),
        Value::json(&person.roles),
        Value::json(&person.groups),
        Value::from(person.disabled),
        Value::from(person.version),
    ]
}
