//! What a node asks the authority about a credential that no snapshot can verify, and what it is told. Hashes never leave the authority.

use std::net::IpAddr;

use durward_base::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Assurance, CredentialFacts, CredentialKind, CredentialLimits, PrincipalKind};

/// A question about one credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolveRequest {
    /// The name of the realm it is presented in.
    pub realm: String,
    /// How it was presented.
    pub kind: CredentialKind,
    /// The credential itself.
    pub credential: String,
    /// The service that it is presented to, where it may be presented to any.
    #[serde(default)]
    pub audience: String,
    /// Where it comes from: guesses are counted by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It counts.
    Proved(Box<Resolved>),
    /// It does not. Why is for the authority's own record.
    Refused,
    /// It was not looked at, after too many guesses.
    Throttled {
        /// When to come back, in seconds.
        seconds: u64,
    },
}

/// Who a credential proves, for how long, and what ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// A person, a service or a client.
    pub kind: PrincipalKind,
    /// Its id.
    pub id: String,
    /// Its roles now, sorted.
    pub roles: Vec<String>,
    /// What the credential is good for.
    pub scopes: Vec<String>,
    /// How the person had logged in; nothing for a credential that outlives logins.
    pub assurance: Assurance,
    /// The service it is for.
    pub audience: String,
    /// What it is kept to besides.
    #[serde(default)]
    pub limits: CredentialLimits,
    /// The credential: the ids it is revoked by.
    pub credential: CredentialFacts,
    /// When it was looked up: watermarks at or after this end the answer, and it is asked again.
    pub made: Timestamp,
    /// When the answer itself is to be asked again.
    pub until: Timestamp,
}

/// Says what is asked about and never the credential.
impl std::fmt::Debug for ResolveRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ResolveRequest({:?} in {})", self.kind, self.realm)
    }
}
