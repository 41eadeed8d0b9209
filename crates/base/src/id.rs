//! Typed identifiers. Inside they are UUIDv7 (RFC 9562), so that they sort by time; outside they appear as 22 characters of base64url.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::{Rng, Timestamp, base64url};

/// A text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected 22 characters of base64url")]
pub struct IdError;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id: 48 bits of `now` in milliseconds, 74 random bits.
            pub fn new(now: Timestamp, rng: &Rng) -> Self {
                Self(uuid_v7(now, rng))
            }

            /// The id with exactly these 16 bytes, as stored.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes, as stored.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }

            /// When it was made, to the millisecond.
            pub fn time(self) -> Timestamp {
                let [a, b, c, d, e, f, ..] = self.0.into_bytes();
                Timestamp::from_millis(i64::from_be_bytes([0, 0, a, b, c, d, e, f]))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(base64url::encode_id(self.0.as_bytes(), &mut [0; 22]))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = base64url::decode(text).ok_or(IdError)?;
                Ok(Self::from_bytes(bytes.try_into().map_err(|_| IdError)?))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

id! {
    /// A realm: the boundary no query crosses.
    RealmId,
    /// A declared resource: client, service, route, role, policy.
    ResourceId,
    /// A client. The public `client_id` is its name.
    ClientId,
    /// A person. The public `sub` is a separate random value.
    PersonId,
    /// One login of one person.
    SessionId,
    /// One client within one login; OpenID Connect's `sid`.
    FamilyId,
    /// One token; JWT's `jti`.
    TokenId,
    /// One audit event, and one request.
    EventId,
    /// A device that waits for a person's answer (RFC 8628).
    DeviceId,
    /// A stored secret or key that is no signing key.
    KeyId,
}

fn uuid_v7(now: Timestamp, rng: &Rng) -> Uuid {
    let random: [u8; 10] = rng.bytes();
    uuid::Builder::from_unix_timestamp_millis(now.millis().unsigned_abs(), &random).into_uuid()
}
