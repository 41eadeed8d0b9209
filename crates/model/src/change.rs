//! What the feed carries: the present state of every declared resource, key and revocation, in order.

use durward_base::{ClientId, KeyId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Key, ResourceKind, Revocation, resource::Stored};

/// A place in the feed. `seq` is dense within an epoch: a hole means resynchronise. A restore begins a new epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Position {
    /// The epoch.
    pub epoch: u64,
    /// The number within it; the first change has 1.
    pub seq: u64,
}

/// One change, at its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where it stands.
    #[serde(flatten)]
    pub position: Position,
    /// What is so from here on.
    pub record: Record,
}

/// What a change says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Record {
    /// A resource is as given.
    Resource(Box<Stored>),
    /// A resource is gone.
    ResourceDeleted {
        /// The realm's name.
        realm: String,
        /// Its kind.
        kind: ResourceKind,
        /// Its name.
        name: String,
    },
    /// A key is in the state given.
    Key(Key),
    /// Something is revoked.
    Revocation(Revocation),
    /// A client's secret, by hash. Stays in the authority.
    ClientSecret(ClientSecret),
}

impl Record {
    /// Whether it may leave the authority: hashes never do.
    pub const fn is_for_nodes(&self) -> bool {
        !matches!(self, Self::ClientSecret(_))
    }
}

/// A client's secret as the authority knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    /// Its id, for the record of its use.
    pub id: KeyId,
    /// The realm's name.
    pub realm: String,
    /// The client's id inside.
    pub client: ClientId,
    /// Keyed hash of the secret (`durward_seal::SecretHasher`), base64url.
    pub hash: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ceases to be accepted: set when a successor is made, with the overlap asked for. In the past: retired.
    pub expires: Option<Timestamp>,
}
