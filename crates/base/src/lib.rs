//! Ids, time as a value, the `Rng` handle, secret-holding types, constant-time compare, the nearest word.

mod id;
mod jump;
mod nearest;
mod random;
mod secret;
mod time;

pub use id::{ClientId, DeviceId, EventId, FamilyId, IdError, KeyId, PersonId, RealmId, ResourceId, SessionId, TokenId};
pub use jump::ClockJump;
pub use nearest::nearest;
pub use random::{Entropy, EntropyError, Rng};
pub use secret::{Secret, SecretBytes, equal};
pub use time::{Clock, Duration, Time, Timestamp};

/// Base64url without padding (RFC 4648 section 5), the one text form of bytes in Durward.
pub mod base64url {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    /// Encodes bytes.
    pub fn encode(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Encodes the 16 bytes of an id without taking memory: every request has one to write.
    pub(crate) fn encode_id<'a>(bytes: &[u8; 16], text: &'a mut [u8; 22]) -> &'a str {
        let length = URL_SAFE_NO_PAD.encode_slice(bytes, text).unwrap_or_default();
        text.get(..length).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }

    /// Decodes strictly: padding, foreign characters and non-zero unused bits are refused, so that one value has one spelling.
    pub fn decode(text: &str) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(text).ok()
    }
}
