//! API keys: long-lived credentials of programs, made by whoever manages the client that they belong to.

use durward_base::{ClientId, KeyId, Timestamp};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// An API key as the ledger knows it. Its text is a handle on the id and is kept nowhere; of one that was taken over, a keyed hash is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The id; what it is revoked by.
    pub id: KeyId,
    /// The realm's name.
    pub realm: String,
    /// Whose.
    pub client: ClientId,
    /// That client's name.
    pub client_name: String,
    /// What it is for, in words.
    pub note: String,
    /// The service it is for.
    pub audience: String,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// What it is kept to besides.
    pub limits: CredentialLimits,
    /// The keyed hash of the text of a key that another system made, base64url; none for one made here.
    pub taken_over: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself; never when absent.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute or so.
    pub used: Option<Timestamp>,
    /// When it was ended, if it was.
    pub revoked: Option<Timestamp>,
}

/// What a credential is kept to besides its audience and its scopes. Empty: nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CredentialLimits {
    /// The routes it is good on, by name; all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<String>,
    /// The networks it may come from; all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<IpNet>,
    /// How many requests a minute it is good for, at each node; any when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
}

impl ApiKey {
    /// Whether it is good at `now`.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}
