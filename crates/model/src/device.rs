//! RFC 8628: a device without a browser of its own, and the person's answer it waits for.

use durward_base::{ClientId, DeviceId, FamilyId, Timestamp};
use serde::{Deserialize, Serialize};

/// A device authorization: asked for by a client, answered by a person, redeemed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAuthorization {
    /// The id; a `device_code` is a handle on it.
    pub id: DeviceId,
    /// The realm's name.
    pub realm: String,
    /// What the person types, as stored: eight letters without a hyphen.
    pub user_code: String,
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
