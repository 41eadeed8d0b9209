//! People's second factors, and the recovery codes beside them.

use durward_base::{PersonId, Timestamp};
use durward_model::Totp;

use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError};

statements! {
    ENROL = Sql::shared("INSERT INTO totp (realm, person, sealed, used, enrolled) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING");
    SPEND = Sql::shared("UPDATE totp SET used = $3 WHERE realm = $1 AND person = $2 AND used < $3");
    REMOVE = Sql::shared("DELETE FROM totp WHERE realm = $1 AND person = $2");
    OF_PERSON = Sql::shared(
        "SELECT totp.sealed, totp.used, totp.enrolled,
             (SELECT count(*) FROM recovery_code WHERE recovery_code.realm = totp.realm AND recovery_code.person = totp.person)
         FROM totp WHERE totp.realm = $1 AND totp.person = $2",
    );
    FORGET_CODES = Sql::shared("DELETE FROM recovery_code WHERE realm = $1 AND person = $2");
    PUT_CODE = Sql::shared("INSERT INTO recovery_code (realm, person, hash) VALUES ($1, $2, $3)");
    SPEND_CODE = Sql::shared("DELETE FROM recovery_code WHERE realm = $1 AND person = $2 AND hash = $3");
}

impl Store {
    /// The person's second factor, if they have set one up.
    pub async fn totp(&self, realm: &str, person: PersonId) -> Result<Option<Totp>, StoreError> {
        self.one(Query { what: "second factor", sql: OF_PERSON, params: whose(realm, person).into(), read }).await
    }
}

pub(crate) fn enrol(realm: &str, person: PersonId, sealed: &[u8], used: u64, at: Timestamp) -> Vec<Step> {
    let [realm, person] = whose(realm, person);
    vec![Step::one(ENROL, [realm, person, Value::Bytes(sealed.to_vec()), used.into(), at.into()])]
}

pub(crate) fn spend(realm: &str, person: PersonId, step: u64) -> Vec<Step> {
    let [realm, person] = whose(realm, person);
    vec![Step::one(SPEND, [realm, person, step.into()])]
}

/// The recovery codes go with it.
pub(crate) fn remove(realm: &str, person: PersonId) -> Vec<Step> {
    vec![Step::one(REMOVE, whose(realm, person))]
}

pub(crate) fn put_codes(realm: &str, person: PersonId, hashes: &[[u8; 32]]) -> Vec<Step> {
    let put = |hash: &[u8; 32]| {
        let [realm, person] = whose(realm, person);
        Step::one(PUT_CODE, [realm, person, Value::Bytes(hash.to_vec())])
    };
    let forgotten = Step::any(FORGET_CODES, whose(realm, person));
    [forgotten].into_iter().chain(hashes.iter().map(put)).collect()
}

pub(crate) fn spend_code(realm: &str, person: PersonId, hash: [u8; 32]) -> Vec<Step> {
    let [realm, person] = whose(realm, person);
    vec![Step::one(SPEND_CODE, [realm, person, Value::Bytes(hash.to_vec())])]
}

fn whose(realm: &str, person: PersonId) -> [Value; 2] {
    [realm.into(), Value::Id(person.to_bytes())]
}

fn read(row: &mut Row<'_>) -> Result<Totp, Invalid> {
    Ok(Totp { sealed: row.bytes()?, used: row.number()?, enrolled: row.time()?, recovery_codes: row.number()? })
}
