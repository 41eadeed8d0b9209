//! OpenID Connect Back-Channel Logout 1.0: a client that is to be told that one of its logins is over.

use durward_base::{ClientId, Duration, FamilyId, Timestamp};

/// A notice on its way. It is written where the family ends, in the same transaction, and goes when it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutNotice {
    /// The realm's name.
    pub realm: String,
    /// The family that ended, its `sid`.
    pub family: FamilyId,
    /// Who is to be told.
    pub client: ClientId,
    /// Whose login it was, their `sub`; they may be gone by now.
    pub subject: String,
    /// When it ended.
    pub ended: Timestamp,
    /// When to try next.
    pub due: Timestamp,
    /// How long to wait after that try, should it fail; doubled by each.
    pub wait: Duration,
}

impl LogoutNotice {
    /// How long is tried: after that, the client's own sessions have ended by themselves, or it is beyond telling.
    pub const KEPT: Duration = Duration::from_secs(86_400);
}
