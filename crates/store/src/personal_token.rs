//! Personal access tokens. Their texts are handles on these rows.

use durward_base::{PersonId, Timestamp, TokenId};
use durward_model::{Person, PersonalToken, RevocationKind};

use crate::batch::Batch;
use crate::housekeeping::KEPT;
use crate::revocation::ended;
use crate::sql::{Invalid, Query, Row, Sql, Step, Value, locked, statements};
use crate::{Store, StoreError, person};

/// The columns of a personal access token, for [`read`].
macro_rules! columns {
    () => {
        "personal_token.id, personal_token.realm, personal_token.person, personal_token.name, personal_token.scopes, \
         personal_token.audience, personal_token.created, personal_token.expires, personal_token.used, personal_token.revoked"
    };
}

statements! {
    /// Whoever disables the person meanwhile waits for this, or this for them.
    PUT = locked!(
        "INSERT INTO personal_token (id, realm, person, name, scopes, audience, created, expires)
         SELECT $1, person.realm, person.id, $4, $5, $6, $7, $8 FROM person
         WHERE person.realm = $2 AND person.id = $3 AND NOT person.disabled",
        " FOR SHARE OF person"
    );
    END = Sql::shared(
        "UPDATE personal_token SET revoked = $4 WHERE realm = $1 AND person = $2 AND id = $3 AND revoked IS NULL RETURNING id",
    );
    /// Never back: nodes report late, and in no order.
    USED = Sql::shared("UPDATE personal_token SET used = $3 WHERE realm = $1 AND id = $2 AND (used IS NULL OR used < $3)");
    WITH_PERSON = Sql::shared(concat!(
        "SELECT ", columns!(), ", ", person::columns!(), " FROM personal_token
         JOIN person ON person.realm = personal_token.realm AND person.id = personal_token.person
         WHERE personal_token.realm = $1 AND personal_token.id = $2"
    ));
    OF_PERSON = Sql::shared(concat!(
        "SELECT ", columns!(), " FROM personal_token
         WHERE realm = $1 AND person = $2 AND revoked IS NULL AND (expires IS NULL OR expires > $3) ORDER BY id DESC LIMIT 200"
    ));
    EXPIRE = Sql::shared(
        "DELETE FROM personal_token WHERE (realm, id) IN (
             SELECT realm, id FROM personal_token WHERE expires < $1 OR revoked < $1 LIMIT $2)",
    );
}

/// A personal access token and whose it is, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalTokenFacts {
    /// The token.
    pub token: PersonalToken,
    /// The person.
    pub person: Person,
}

impl Store {
    /// The personal access token with this id and its person, good or not.
    pub async fn personal_token(&self, realm: &str, id: TokenId) -> Result<Option<PersonalTokenFacts>, StoreError> {
        let params = vec![realm.into(), Value::Id(id.to_bytes())];
        self.one(Query { what: "personal access token", sql: WITH_PERSON, params, read: read_facts }).await
    }

    /// The personal access tokens of a person that are good at `now`, newest first, at most 200.
    pub async fn personal_tokens_of(&self, realm: &str, person: PersonId, now: Timestamp) -> Result<Vec<PersonalToken>, StoreError> {
        let params = vec![realm.into(), Value::Id(person.to_bytes()), now.into()];
        self.list(Query { what: "personal access token", sql: OF_PERSON, params, read }).await
    }

    /// Notes when tokens were last used, all in one transaction.
    pub async fn personal_tokens_used(&self, uses: &[(String, TokenId, Timestamp)], now: Timestamp) -> Result<(), StoreError> {
        let used = |(realm, token, at): &(String, TokenId, Timestamp)| {
            Step::any(USED, [Value::from(realm), Value::Id(token.to_bytes()), (*at).into()])
        };
        self.run(Batch::of_steps(uses.iter().map(used).collect(), now)).await.map(drop)
    }
}

pub(crate) fn put(token: &PersonalToken) -> Vec<Step> {
    vec![Step::one(
        PUT,
        [
            Value::Id(token.id.to_bytes()),
            Value::from(&token.realm),
            Value::Id(token.person.to_bytes()),
            Value::from(&token.name),
            Value::json(&token.scopes),
            Value::from(&token.audience),
            token.created.into(),
            token.expires.into(),
        ],
    )]
}

pub(crate) fn end(realm: &str, person: PersonId, token: TokenId, at: Timestamp) -> Vec<Step> {
    let params = [realm.into(), Value::Id(person.to_bytes()), Value::Id(token.to_bytes()), at.into()];
    vec![Step::any(END, params).revoke(ended(realm, RevocationKind::Token, at, "revoked"))]
}

pub(crate) fn expire(now: Timestamp, limit: u64) -> Step {
    Step::any(EXPIRE, [(now - KEPT).into(), limit.into()])
}

/// Reads [`columns`].
fn read(row: &mut Row<'_>) -> Result<PersonalToken, Invalid> {
    Ok(PersonalToken {
        id: TokenId::from_bytes(row.id()?),
        realm: row.text()?,
        person: PersonId::from_bytes(row.id()?),
        name: row.text()?,
        scopes: row.json()?,
        audience: row.text()?,
        created: row.time()?,
        expires: row.optional_time()?,
        used: row.optional_time()?,
        revoked: row.optional_time()?,
    })
}

fn read_facts(row: &mut Row<'_>) -> Result<PersonalTokenFacts, Invalid> {
    Ok(PersonalTokenFacts { token: read(row)?, person: person::read(row)? })
}
