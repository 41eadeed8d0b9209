//! Ids that are good once: redeeming is one INSERT.

use durward_base::{Duration, Timestamp};
use durward_model::Spent;

use crate::sql::{Query, Sql, Step, Value, statements};
use crate::{Store, StoreError};

statements! {
    SPEND = Sql::shared("INSERT INTO spent (realm, kind, id, bucket) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING");
    IS_SPENT = Sql::shared("SELECT bucket FROM spent WHERE realm = $1 AND kind = $2 AND id = $3");
    EXPIRE = Sql::shared(
        "DELETE FROM spent WHERE (realm, kind, id) IN (SELECT realm, kind, id FROM spent WHERE bucket < $1 LIMIT $2)",
    );
}

/// Milliseconds of expiry that are dropped together.
const BUCKET: i64 = 600_000;

impl Store {
    /// Whether an id was used already. Only a hint before the guard of `Write::Spend`, which decides.
    pub async fn is_spent(&self, realm: &str, what: Spent, id: [u8; 16]) -> Result<bool, StoreError> {
        let params = vec![realm.into(), kind(what), Value::Id(id)];
        Ok(self.one(Query { what: "spent id", sql: IS_SPENT, params, read: |row| row.number::<i64>() }).await?.is_some())
    }
}

pub(crate) fn spend(realm: &str, what: Spent, id: [u8; 16], expires: Timestamp) -> Vec<Step> {
    vec![Step::one(SPEND, [realm.into(), kind(what), Value::Id(id), Value::Integer(bucket(expires))])]
}

/// Drops buckets an hour after their end, so that a clock that jumps forward by less makes nothing good again.
pub(crate) fn expire(now: Timestamp, limit: u64) -> Step {
    Step::any(EXPIRE, [Value::Integer(bucket(now - Duration::from_secs(3_600))), limit.into()])
}

fn kind(what: Spent) -> Value {
    Value::Integer(i64::from(what.number()))
}

const fn bucket(time: Timestamp) -> i64 {
    time.millis().div_euclid(BUCKET)
}
