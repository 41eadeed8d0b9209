//! Clients that are to be told that a login of theirs is over: a queue that survives whatever happens to the process.

use durward_base::{ClientId, Duration, FamilyId, Timestamp};
use durward_model::LogoutNotice;

use crate::batch::Batch;
use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError};

/// Those of `$families` whose client wants to be told; `$json` makes JSON of the stored text. $1 is the moment, $2 the first wait.
macro_rules! enqueue {
    ($families:expr, $json:literal) => {
        concat!(
            "INSERT INTO logout_notice (realm, family, client, subject, ended, due, wait)
             SELECT family.realm, family.id, family.client, person.sub, $1, $1, $2
             FROM family
             JOIN person ON person.realm = family.realm AND person.id = family.person
             JOIN resource ON resource.id = family.client
             WHERE (family.realm, family.id) IN (",
            $families,
            ") AND resource.body",
            $json,
            " ->> 'backchannel_logout_uri' IS NOT NULL
             ON CONFLICT DO NOTHING"
        )
    };
}

/// Families that came to their natural end between $3 and $1 and were not looked at yet: the oldest, and at most $4.
macro_rules! outlived {
    () => {
        "SELECT realm, id FROM family WHERE outlived IS NULL AND revoked IS NULL AND expires <= $1 AND expires > $3
         ORDER BY expires, realm, id LIMIT $4"
    };
}

statements! {
    ENQUEUE = Sql::each(enqueue!("SELECT $3, $4", ""), enqueue!("SELECT $3::text, $4::uuid", "::json"));
    ENQUEUE_OUTLIVED = Sql::each(enqueue!(outlived!(), ""), enqueue!(outlived!(), "::json"));
    MARK_OUTLIVED = Sql::shared(concat!("UPDATE family SET outlived = $2 WHERE (realm, id) IN (", outlived!(), ")"));
    DUE = Sql::shared(
        "SELECT realm, family, client, subject, ended, due, wait FROM logout_notice WHERE due <= $1 ORDER BY due LIMIT $2",
    );
    /// Of all nodes that see it, one takes it.
    TAKE = Sql::shared(
        "UPDATE logout_notice SET due = $4 + wait, wait = wait * 2 WHERE realm = $1 AND family = $2 AND due = $3",
    );
    DROP = Sql::shared("DELETE FROM logout_notice WHERE realm = $1 AND family = $2");
    EXPIRE = Sql::shared(
        "DELETE FROM logout_notice WHERE (realm, family) IN (
             SELECT realm, family FROM logout_notice WHERE ended < $1 ORDER BY ended LIMIT $2)",
    );
}

/// The wait after the first try, in milliseconds. Doubled by each, a day holds fourteen.
const FIRST_WAIT_MILLIS: u32 = 10_000;
/// A notice that nobody delivered or gave up on, as where no node ran.
const FORGOTTEN: Duration = Duration::from_secs(7 * 86_400);

impl Store {
    /// The notices that are due at `now`, the longest waiting first, at most `limit`.
    pub async fn logout_notices_due(&self, now: Timestamp, limit: u64) -> Result<Vec<LogoutNotice>, StoreError> {
        self.list(Query { what: "logout notice", sql: DUE, params: vec![now.into(), limit.into()], read }).await
    }

    /// Takes a notice, so that nobody else tries at the same time; it is due again once its wait is over. Whether it was there to take.
    pub async fn take_logout_notice(&self, notice: &LogoutNotice, now: Timestamp) -> Result<bool, StoreError> {
        let params = [Value::from(&notice.realm), Value::Id(notice.family.to_bytes()), notice.due.into(), now.into()];
        let done = self.run(Batch::of_steps(vec![Step::any(TAKE, params)], now)).await?;
        Ok(done.touched == 1)
    }
}

/// Lets the client of a family that has just ended be told, if it wants to be.
pub(crate) fn enqueue(realm: &str, family: [u8; 16], at: Timestamp) -> Step {
    Step::any(ENQUEUE, [at.into(), FIRST_WAIT_MILLIS.into(), realm.into(), Value::Id(family)])
}

/// Lets the clients of families be told that came to their natural end: of an end that was longer ago than is told of, nobody hears any more.
pub(crate) fn enqueue_outlived(now: Timestamp, limit: u64) -> [Step; 2] {
    let params = |second: Value| [now.into(), second, (now - LogoutNotice::KEPT).into(), limit.into()];
    [Step::any(ENQUEUE_OUTLIVED, params(FIRST_WAIT_MILLIS.into())), Step::any(MARK_OUTLIVED, params(now.into()))]
}

pub(crate) fn drop_one(realm: &str, family: FamilyId) -> Vec<Step> {
    vec![Step::any(DROP, [realm.into(), Value::Id(family.to_bytes())])]
}

pub(crate) fn expire(now: Timestamp, limit: u64) -> Step {
    Step::any(EXPIRE, [(now - FORGOTTEN).into(), limit.into()])
}

fn read(row: &mut Row<'_>) -> Result<LogoutNotice, Invalid> {
    Ok(LogoutNotice {
        realm: row.text()?,
        family: FamilyId::from_bytes(row.id()?),
        client: ClientId::from_bytes(row.id()?),
        subject: row.text()?,
        ended: row.time()?,
        due: row.time()?,
        wait: Duration::from_millis(row.number()?),
    })
}
