//! Declared resources: what `apply`, the admin API and the feed carry. One record a kind; unknown keys are errors.

mod client;
mod name;
mod person;
mod policy;
mod realm;
mod role;
mod route;
mod service;
mod terms;
mod trusted_issuer;
mod upstream;

use durward_base::ResourceId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use client::{ApplicationType, Client, ClientAuthentication, Origin, Profile, SecretReference, SubjectType, TokenDelivery, Trust};
pub use name::name_fault;
pub use person::PersonResource;
pub use policy::{Policy, Schema};
pub use realm::{KeyFormat, PersonalTokens, Realm, Registrations};
pub use role::{Group, Role};
pub use route::{Access, Acr, Authorize, Mode, Requirement, Route};
pub use service::{DetailsMember, DetailsType, DetailsValue, Scope, Service, TokenType};
pub use terms::{Cors, RateKey, RateLimit};
pub use trusted_issuer::{ForeignAccessTokens, Subjects, TrustedIssuer};
pub use upstream::{HealthCheck, Timeouts, Upstream};

/// A declared resource. In YAML: `kind:`, `name:`, and the kind's own fields beside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(clippy::large_enum_variant, reason = "resources are kept one by one behind a pointer, never side by side")]
pub enum Resource {
    /// A realm.
    Realm(Realm),
    /// A client.
    Client(Client),
    /// Somebody else's issuer whose JWTs are taken.
    #[serde(rename = "trusted_issuer")]
    TrustedIssuer(TrustedIssuer),
    /// A service: a resource server.
    Service(Service),
    /// A route of the gateway.
    Route(Route),
    /// A role.
    Role(Role),
    /// A group of people.
    Group(Group),
    /// A person. Lives in the ledger; never on the feed.
    Person(PersonResource),
    /// A Cedar policy.
    Policy(Policy),
    /// A Cedar schema of a service's own namespace.
    Schema(Schema),
}

/// A resource as stored and as it travels on the feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// Its id, never reused.
    pub id: ResourceId,
    /// The realm's name. A realm is stored under its own name.
    pub realm: String,
    /// Counts changes, from 1.
    pub version: u64,
    /// The resource.
    pub resource: Resource,
}

macro_rules! resource_kinds {
    ($($kind:ident $text:literal),* $(,)?) => {
        /// The kinds of declared resource.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum ResourceKind {$(
            #[doc = concat!("`kind: ", $text, "`")]
            #[serde(rename = $text)]
            $kind,
        )*}

        impl ResourceKind {
            /// Every kind, in the order in which they are applied.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The word in `kind:`.
            pub const fn name(self) -> &'static str {
                match self {$(Self::$kind => $text),*}
            }

            /// The kind of this word.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }

        impl Resource {
            /// Its kind.
            pub const fn kind(&self) -> ResourceKind {
                match self {$(Self::$kind(_) => ResourceKind::$kind),*}
            }

            /// Its name, unique per realm and kind.
            pub fn name(&self) -> &str {
                match self {$(Self::$kind(resource) => &resource.name),*}
            }
        }
    };
}

resource_kinds! {
    Realm "realm",
    Role "role",
    Group "group",
    Service "service",
    Client "client",
    TrustedIssuer "trusted_issuer",
    Schema "schema",
    Policy "policy",
    Route "route",
    Person "person",
}
