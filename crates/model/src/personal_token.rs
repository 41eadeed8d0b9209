//! Personal access tokens: named, opaque, made by a person for programs of their own.

use durward_base::{PersonId, Timestamp, TokenId};

/// A personal access token as the ledger knows it. Its text is a handle on the id and is kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalToken {
    /// The id; what it is revoked by.
    pub id: TokenId,
    /// The realm's name.
    pub realm: String,
    /// Whose.
    pub person: PersonId,
    /// What they call it.
    pub name: String,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// The service it is for.
    pub audience: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself; never when absent.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute or so.
    pub used: Option<Timestamp>,
    /// When it was ended, if it was.
    pub revoked: Option<Timestamp>,
}

impl PersonalToken {
    /// Whether it is good at `now`.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}
