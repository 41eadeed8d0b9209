//! RFC 7591 and RFC 7592: clients that registered themselves, and what let them.

use durward_base::{ClientId, KeyId, Timestamp};

/// What the ledger knows of a client that registered itself. Its registration access token is a handle on this and is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The realm's name.
    pub realm: String,
    /// The client.
    pub client: ClientId,
    /// Its `client_id`.
    pub name: String,
    /// Which of its registration access tokens is good.
    pub generation: u32,
    /// When it registered.
    pub created: Timestamp,
    /// When it goes, unless it is used before.
    pub ends: Option<Timestamp>,
}

/// An initial access token (RFC 7591 section 1.2). Its text is a handle on this and is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitialAccess {
    /// The id.
    pub id: KeyId,
    /// The realm's name.
    pub realm: String,
    /// Whom it was made for, in an administrator's words.
    pub note: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
    /// How many clients may be registered with it still.
    pub uses: u32,
}

impl InitialAccess {
    /// Whether it is good at `now`.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.uses > 0 && now < self.expires
    }
}
