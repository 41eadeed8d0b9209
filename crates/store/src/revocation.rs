//! Revocations, kept until the last token they could concern is dead.

use durward_base::{Duration, Timestamp, base64url};
use durward_model::{Record, Revocation, RevocationKind};

use crate::logout_notice;
use crate::sql::{Invalid, Row, Sql, Step, Value, statements};

/// The columns of a revocation, for [`read`].
macro_rules! columns {
    () => {
        "realm, kind, key, not_before, expires, reason"
    };
}

statements! {
    /// A watermark never moves back, and nothing is forgotten sooner than was once said.
    PUT = Sql::shared(concat!(
        "INSERT INTO revocation (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (realm, kind, key) DO UPDATE SET
             not_before = CASE WHEN excluded.not_before > revocation.not_before THEN excluded.not_before ELSE revocation.not_before END,
             expires = CASE WHEN excluded.expires > revocation.expires THEN excluded.expires ELSE revocation.expires END,
             reason = excluded.reason
         RETURNING ", columns!()
    ));
    pub(crate) UNEXPIRED = Sql::shared(concat!("SELECT ", columns!(), " FROM revocation WHERE expires > $1 ORDER BY realm, kind, key"));
    EXPIRE = Sql::shared(
        "DELETE FROM revocation WHERE (realm, kind, key) IN (SELECT realm, kind, key FROM revocation WHERE expires <= $1 LIMIT $2)",
    );
}

/// The longest life a realm may give an access token, an hour, and a minute for clocks that differ: after that, no token is left that an
/// ended session or family could concern.
const LAST_TOKEN_DEAD: Duration = Duration::from_secs(3_600 + 60);

pub(crate) fn put(revocation: &Revocation) -> Step {
    Step::one(
        PUT,
        [
            Value::from(&revocation.realm),
            Value::word(&revocation.kind),
            Value::from(&revocation.key),
            revocation.not_before.into(),
            revocation.expires.into(),
            Value::from(&revocation.reason),
        ],
    )
    .append(|row| read(row).map(Record::Revocation))
}

/// What goes with a revocation that ends something: it is kept and told of, and so is the client of a family.
pub(crate) fn follow(revocation: &Revocation) -> Vec<Step> {
    let mut steps = vec![put(revocation)];
    let family = (revocation.kind == RevocationKind::Family).then(|| base64url::decode(&revocation.key)).flatten();
    if let Some(family) = family.and_then(|id| id.try_into().ok()) {
        steps.push(logout_notice::enqueue(&revocation.realm, family, revocation.not_before));
    }
    steps
}

pub(crate) fn expire(now: Timestamp, limit: u64) -> Step {
    Step::any(EXPIRE, [now.into(), limit.into()])
}

/// The revocation of a session or family, from the id that ending it returned.
pub(crate) fn ended(
    realm: &str,
    kind: RevocationKind,
    at: Timestamp,
    reason: &'static str,
) -> impl Fn(&mut Row<'_>) -> Result<Revocation, Invalid> + Send + Sync + 'static {
    let realm = realm.to_owned();
    move |row| {
        Ok(Revocation {
            realm: realm.clone(),
            kind,
            key: base64url::encode(&row.id()?),
            not_before: at,
            expires: at + LAST_TOKEN_DEAD,
            reason: reason.to_owned(),
        })
    }
}

/// Reads [`columns`].
pub(crate) fn read(row: &mut Row<'_>) -> Result<Revocation, Invalid> {
    Ok(Revocation {
        realm: row.text()?,
        kind: row.word()?,
        key: row.text()?,
        not_before: row.time()?,
        expires: row.time()?,
        reason: row.text()?,
    })
}
