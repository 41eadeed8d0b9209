//! Declared resources: compare and swap on the version.

use durward_base::ResourceId;
use durward_model::{Record, ResourceKind, Stored};

use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError};

/// The columns of a resource, for [`read`].
macro_rules! columns {
    () => {
        "id, realm, version, body"
    };
}

statements! {
    CREATE = Sql::shared(
        "INSERT INTO resource (realm, kind, name, id, version, body) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
         RETURNING id",
    );
    UPDATE = Sql::shared(
        "UPDATE resource SET version = $5, body = $6 WHERE realm = $1 AND kind = $2 AND name = $3 AND id = $4 AND version = $7
         RETURNING id",
    );
    DELETE = Sql::shared("DELETE FROM resource WHERE realm = $1 AND kind = $2 AND name = $3 AND version = $4 RETURNING id");
    FIND = Sql::shared(concat!("SELECT ", columns!(), " FROM resource WHERE realm = $1 AND kind = $2 AND name = $3"));
    OF_KIND = Sql::shared(concat!("SELECT ", columns!(), " FROM resource WHERE realm = $1 AND kind = $2 ORDER BY name"));
    DECLARE = Sql::shared("UPDATE declaration SET version = version + 1 WHERE version = $1");
    DECLARED = Sql::shared("UPDATE declaration SET version = version + 1");
    DECLARATION = Sql::shared("SELECT version FROM declaration");
    pub(crate) ALL = Sql::shared(concat!("SELECT ", columns!(), " FROM resource ORDER BY realm, kind, name"));
}

impl Store {
    /// The resource of this name.
    pub async fn resource(&self, realm: &str, kind: ResourceKind, name: &str) -> Result<Option<Stored>, StoreError> {
        let params = vec![realm.into(), kind.name().into(), name.into()];
        self.one(Query { what: "resource", sql: FIND, params, read }).await
    }

    /// How often what is declared was changed. To be asked before the resources are read: [`durward_model::Write::Declare`] then finds out
    /// whether they are still all there is.
    pub async fn declaration(&self) -> Result<u64, StoreError> {
        let read = |row: &mut Row<'_>| row.number();
        Ok(self.one(Query { what: "declaration", sql: DECLARATION, params: vec![], read }).await?.unwrap_or_default())
    }

    /// A realm's resources of one kind, by name.
    pub async fn resources(&self, realm: &str, kind: ResourceKind) -> Result<Vec<Stored>, StoreError> {
        let params = vec![realm.into(), kind.name().into()];
        self.list(Query { what: "resource", sql: OF_KIND, params, read }).await
    }
}

pub(crate) fn put(stored: &Stored, expected: Option<u64>) -> Vec<Step> {
    let mut params = key(&stored.realm, stored.resource.kind(), stored.resource.name());
    params.extend([Value::Id(stored.id.to_bytes()), stored.version.into(), Value::json(&stored.resource)]);
    let step = match expected {
        None => Step::one(CREATE, params),
        Some(version) => {
            params.push(version.into());
            Step::one(UPDATE, params)
        }
    };
    let record = Record::Resource(Box::new(stored.clone()));
    vec![step.append(move |_| Ok(record.clone()))]
}

/// Whoever comes second waits for the first, and finds the count moved on.
pub(crate) fn declare(seen: u64) -> Vec<Step> {
    vec![Step::one(DECLARE, [seen.into()])]
}

/// What was not decided over all resources makes those that were be decided again.
pub(crate) fn declared() -> Step {
    Step::one(DECLARED, [])
}

pub(crate) fn delete(realm: &str, kind: ResourceKind, name: &str, expected: u64) -> Vec<Step> {
    let mut params = key(realm, kind, name);
    params.push(expected.into());
    let record = Record::ResourceDeleted { realm: realm.to_owned(), kind, name: name.to_owned() };
    vec![Step::one(DELETE, params).append(move |_| Ok(record.clone()))]
}

/// Reads [`columns`].
pub(crate) fn read(row: &mut Row<'_>) -> Result<Stored, Invalid> {
    Ok(Stored { id: ResourceId::from_bytes(row.id()?), realm: row.text()?, version: row.number()?, resource: row.json()? })
}

fn key(realm: &str, kind: ResourceKind, name: &str) -> Vec<Value> {
    vec![realm.into(), kind.name().into(), name.into()]
}
