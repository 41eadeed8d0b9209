//! Revocations: exact ids and watermarks, pushed to every node, kept until the last token they could concern is dead.

use durward_base::{Duration, Timestamp};
use serde::{Deserialize, Serialize};

/// What a revocation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationKind {
    /// One token, by `jti`. Absolute.
    Token,
    /// One client in one login, by `sid`. Absolute.
    Family,
    /// One login. Absolute.
    Session,
    /// Everything signed by one key. Absolute.
    Key,
    /// Every token of one `sub` made at or before `not_before`.
    Subject,
    /// Every token of one client made at or before `not_before`.
    Client,
    /// Every token of one realm made at or before `not_before`.
    Realm,
}

impl RevocationKind {
    /// Whether it kills whatever bears the key, at any time; the others kill what was made at or before `not_before`.
    pub const fn is_absolute(self) -> bool {
        matches!(self, Self::Token | Self::Family | Self::Session | Self::Key)
    }
}

/// Watermarks reach this far past the commit; the authority waits as long before it mints for such a key again, so that a token made in the
/// commit's own millisecond on another node cannot outlive it.
pub const WATERMARK_MARGIN: Duration = Duration::from_millis(250);

/// One revocation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Revocation {
    /// The name of the realm it holds in.
    pub realm: String,
    /// What it names.
    pub kind: RevocationKind,
    /// The id: `jti`, `sid`, session id, `kid`, `sub`, `client_id` or realm name, as it stands in a token.
    pub key: String,
    /// For watermarks: tokens whose `jti` was made at or before this are dead.
    pub not_before: Timestamp,
    /// When the last token it could concern is dead, and it may be forgotten.
    pub expires: Timestamp,
    /// Why, as a stable word: `logout`, `disabled`, `refresh_reuse`, `code_replay`, `revoked`, `role_lost`, `consent_withdrawn`, `deleted`.
    pub reason: String,
}

impl Revocation {
    /// Kills what `key` names: that itself or, under a watermark, every token made until now and within the margin.
    pub fn new(realm: impl Into<String>, kind: RevocationKind, key: impl Into<String>, now: Timestamp, reason: &str) -> Self {
        let not_before = now + WATERMARK_MARGIN;
        let (realm, key, reason) = (realm.into(), key.into(), reason.to_owned());
        Self { realm, kind, key, not_before, expires: not_before + LAST_TOKEN_DEAD, reason }
    }
}

/// The longest life a realm may give an access token, and a minute for clocks that differ.
const LAST_TOKEN_DEAD: Duration = Duration::from_secs(3_600 + 60);
