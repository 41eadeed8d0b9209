//! RFC 8628 and OpenID Connect Client-Initiated Backchannel Authentication: a device without a browser of its own, and the person's answer it
//! waits for.

use durward_base::{ClientId, DeviceId, FamilyId, PersonId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::GrantType;

/// A device authorization: asked for by a client, answered by a person, redeemed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAuthorization {
    /// The id; a `device_code` or an `auth_req_id` is a handle on it.
    pub id: DeviceId,
    /// The realm's name.
    pub realm: String,
    /// Who may answer.
    pub answerer: Answerer,
    /// The client's id inside.
    pub client: ClientId,
    /// The client's name, its `client_id`.
    pub client_name: String,
    /// Scopes asked for.
    pub scopes: Vec<String>,
    /// The audience asked for.
    pub audience: String,
    /// The address the device asked from.
    pub address: Option<String>,
    /// How far it has come.
    pub state: DeviceState,
    /// The family that the approval opened.
    pub family: Option<FamilyId>,
    /// When it was asked for.
    pub created: Timestamp,
    /// When an answer or a redemption comes too late.
    pub expires: Timestamp,
}

impl DeviceAuthorization {
    /// The grant that redeems it.
    pub const fn grant(&self) -> GrantType {
        match self.answerer {
            Answerer::UserCode(_) => GrantType::DeviceCode,
            Answerer::Person(_) => GrantType::Ciba,
        }
    }
}

/// Who may answer a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answerer {
    /// RFC 8628: whoever types this user code, as stored: eight letters without a hyphen.
    UserCode(String),
    /// Client-Initiated Backchannel Authentication: the one person whom the client has named.
    Person(BackchannelRequest),
}

/// What a client says that asks a person without a browser between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackchannelRequest {
    /// Who is asked.
    pub person: PersonId,
    /// What the person sees here and at the client, so that they know one from another.
    pub binding_message: Option<String>,
    /// The level of authentication asked for, a value of `acr`.
    pub acr: Option<String>,
    /// The `client_notification_token`, sealed; none where the client polls.
    pub notification: Option<Vec<u8>>,
}

/// How far a device authorization has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// Nobody has answered.
    Pending,
    /// A person allowed it.
    Approved,
    /// A person did not.
    Denied,
    /// Tokens were issued for it.
    Redeemed,
}

impl DeviceState {
    /// Whether `self` may become `next`.
    pub const fn may_become(self, next: Self) -> bool {
        matches!((self, next), (Self::Pending, Self::Approved | Self::Denied) | (Self::Approved, Self::Redeemed))
    }
}
