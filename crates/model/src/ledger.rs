//! The ledger: person → session (one login) → family (one client in it) → tokens. Anything can be revoked by any ancestor.

use durward_base::{ClientId, FamilyId, PersonId, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Assurance, AuthorizationDetails, BoundKey};

/// A person who may log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The id inside.
    pub id: PersonId,
    /// The realm's name.
    pub realm: String,
    /// The id outside: a stored random 128-bit value in base64url, never derived, never reused.
    pub sub: String,
    /// The name they log in with, in canonical form (`durward_authn::username`).
    pub username: String,
    /// The name shown to others.
    pub display_name: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Roles given to the person directly.
    pub roles: Vec<String>,
    /// Groups, whose roles the person has too.
    pub groups: Vec<String>,
    /// A disabled person cannot log in, refresh or be issued anything.
    pub disabled: bool,
    /// Counts changes; an update names the version it saw.
    pub version: u64,
    /// When the record was made.
    pub created: Timestamp,
}

/// One login of one person in one browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// The realm's name.
    pub realm: String,
    /// Who logged in.
    pub person: PersonId,
    /// How they proved it.
    pub assurance: Assurance,
    /// When it began.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
    /// When it was ended, if it was.
    pub revoked: Option<Timestamp>,
    /// The address it began from.
    pub address: Option<String>,
    /// The browser, as far as it says, at most 200 characters.
    pub user_agent: Option<String>,
}

/// One client within one login: what it was granted, and how far its refresh tokens have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// The id; OpenID Connect's `sid`.
    pub id: FamilyId,
    /// The realm's name.
    pub realm: String,
    /// The login.
    pub session: SessionId,
    /// The person.
    pub person: PersonId,
    /// The client's id inside: a client made anew under an old name inherits nothing.
    pub client: ClientId,
    /// The client's name, its `client_id`.
    pub client_name: String,
    /// Scopes granted.
    pub scopes: Vec<String>,
    /// The audience granted.
    pub audience: String,
    /// What was granted in detail (RFC 9396).
    #[serde(default, skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// How the person had logged in.
    pub assurance: Assurance,
    /// The generation of the refresh token that is good now.
    pub generation: u32,
    /// The key whose holder alone may refresh: a public client's, once it has proved one (RFC 9449 section 5, RFC 8705 section 4).
    pub bound_key: Option<BoundKey>,
    /// When the generation last moved.
    pub rotated: Timestamp,
    /// When it began.
    pub created: Timestamp,
    /// The absolute end: rotation never extends it.
    pub expires: Timestamp,
    /// When it was ended, if it was.
    pub revoked: Option<Timestamp>,
}

/// What a person allowed a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The realm's name.
    pub realm: String,
    /// Who allowed it.
    pub person: PersonId,
    /// To which client.
    pub client: ClientId,
    /// Its `client_id`, for listing.
    pub client_name: String,
    /// Which scopes, sorted.
    pub scopes: Vec<String>,
    /// Which optional scopes they were asked for and left out, sorted.
    pub declined: Vec<String>,
    /// For which audience.
    pub audience: String,
    /// A digest of what they were shown of a client that nobody vouches for; empty where an administrator does.
    #[serde(default)]
    pub shown: String,
    /// When.
    pub granted: Timestamp,
}
