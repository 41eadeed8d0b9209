//! Devices that wait for a person's answer (RFC 8628, OpenID Connect CIBA), and whether they were redeemed.

use durward_base::{ClientId, DeviceId, Duration, FamilyId, PersonId, Timestamp};
use durward_model::{Answerer, BackchannelRequest, DeviceAuthorization, DeviceState};

use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError};

/// The columns of a device authorization, for [`read`].
macro_rules! columns {
    () => {
        "id, realm, user_code, person, binding_message, acr, notification, client, client_name, scopes, audience, address, state, family, \
         created, expires"
    };
}

statements! {
    OPEN = Sql::shared(concat!(
        "INSERT INTO device_authorization (", columns!(), ")
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT DO NOTHING"
    ));
    /// Compare and swap on the state: one answer, one redemption.
    ADVANCE = Sql::shared(
        "UPDATE device_authorization SET state = $4, family = COALESCE($5, family)
         WHERE realm = $1 AND id = $2 AND state = $3 AND expires > $6",
    );
    BY_ID = Sql::shared(concat!("SELECT ", columns!(), " FROM device_authorization WHERE realm = $1 AND id = $2"));
    BY_USER_CODE = Sql::shared(concat!("SELECT ", columns!(), " FROM device_authorization WHERE realm = $1 AND user_code = $2"));
    WAITING_FOR = Sql::shared(concat!(
        "SELECT ", columns!(), " FROM device_authorization
         WHERE realm = $1 AND person = $2 AND state = 'pending' AND expires > $3 ORDER BY id DESC LIMIT 100"
    ));
    EXPIRE = Sql::shared(
        "DELETE FROM device_authorization WHERE (realm, id) IN (
             SELECT realm, id FROM device_authorization WHERE expires < $1 ORDER BY expires LIMIT $2)",
    );
}

/// How long one that is over stays, so that a late redemption is told why it is refused.
const KEPT: Duration = Duration::from_secs(3_600);

impl Store {
    /// The device authorization with this id, over or not.
    pub async fn device(&self, realm: &str, id: DeviceId) -> Result<Option<DeviceAuthorization>, StoreError> {
        self.one(query(BY_ID, vec![realm.into(), Value::Id(id.to_bytes())])).await
    }

    /// The device authorization with this user code, over or not.
    pub async fn device_by_user_code(&self, realm: &str, user_code: &str) -> Result<Option<DeviceAuthorization>, StoreError> {
        self.one(query(BY_USER_CODE, vec![realm.into(), user_code.into()])).await
    }

    /// What waits at `now` for the answer of a person whom its client has named, newest first, at most 100.
    pub async fn waiting_for(&self, realm: &str, person: PersonId, now: Timestamp) -> Result<Vec<DeviceAuthorization>, StoreError> {
        self.list(query(WAITING_FOR, vec![realm.into(), Value::Id(person.to_bytes()), now.into()])).await
    }
}

pub(crate) fn open(device: &DeviceAuthorization) -> Vec<Step> {
    let (user_code, named) = match &device.answerer {
        Answerer::UserCode(code) => (Value::from(code), None),
        Answerer::Person(named) => (Value::Null, Some(named)),
    };
    vec![Step::one(
        OPEN,
        [
            Value::Id(device.id.to_bytes()),
            Value::from(&device.realm),
            user_code,
            named.map_or(Value::Null, |named| Value::Id(named.person.to_bytes())),
            named.map_or(Value::Null, |named| Value::from(&named.binding_message)),
            named.map_or(Value::Null, |named| Value::from(&named.acr)),
            named.and_then(|named| named.notification.clone()).map_or(Value::Null, Value::Bytes),
            Value::Id(device.client.to_bytes()),
            Value::from(&device.client_name),
            Value::json(&device.scopes),
            Value::from(&device.audience),
            Value::from(&device.address),
            Value::word(&device.state),
            device.family.map_or(Value::Null, |family| Value::Id(family.to_bytes())),
            device.created.into(),
            device.expires.into(),
        ],
    )]
}

/// A move that no device may make misses as one that lost a race does.
pub(crate) fn advance(
    realm: &str,
    device: DeviceId,
    (from, to): (DeviceState, DeviceState),
    family: Option<FamilyId>,
    at: Timestamp,
) -> Vec<Step> {
    let from = if from.may_become(to) { Value::word(&from) } else { Value::Null };
    let family = family.map_or(Value::Null, |family| Value::Id(family.to_bytes()));
    vec![Step::one(ADVANCE, [realm.into(), Value::Id(device.to_bytes()), from, Value::word(&to), family, at.into()])]
}

pub(crate) fn expire(now: Timestamp, limit: u64) -> Step {
    Step::any(EXPIRE, [(now - KEPT).into(), limit.into()])
}

/// Reads [`columns`].
fn read(row: &mut Row<'_>) -> Result<DeviceAuthorization, Invalid> {
    Ok(DeviceAuthorization {
        id: DeviceId::from_bytes(row.id()?),
        realm: row.text()?,
        answerer: answerer(row)?,
        client: ClientId::from_bytes(row.id()?),
        client_name: row.text()?,
        scopes: row.json()?,
        audience: row.text()?,
        address: row.optional_text()?,
        state: row.word()?,
        family: row.optional_id()?.map(FamilyId::from_bytes),
        created: row.time()?,
        expires: row.time()?,
    })
}

/// Either of the two who may answer.
fn answerer(row: &mut Row<'_>) -> Result<Answerer, Invalid> {
    let (user_code, person) = (row.optional_text()?, row.optional_id()?);
    let (binding_message, acr, notification) = (row.optional_text()?, row.optional_text()?, row.optional_bytes()?);
    match (user_code, person.map(PersonId::from_bytes)) {
        (Some(code), None) => Ok(Answerer::UserCode(code)),
        (None, Some(person)) => Ok(Answerer::Person(BackchannelRequest { person, binding_message, acr, notification })),
        _ => Err(Invalid { column: "person".to_owned(), expected: "a person or a user code" }),
    }
}

fn query(sql: Sql, params: Vec<Value>) -> Query<DeviceAuthorization> {
    Query { what: "device authorization", sql, params, read }
}
