//! The one principal: who is calling, however they proved it.

use std::net::IpAddr;

use durward_base::Timestamp;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::AuthorizationDetails;

/// Who is calling, for whom, and how sure we are. Policies are written against this and never against the method that proved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Principal {
    /// The name of the realm.
    pub realm: String,
    /// A person, a service or a client.
    pub kind: PrincipalKind,
    /// A person's `sub`, a service's name, a client's `client_id`.
    pub id: String,
    /// On whose behalf it calls, when not its own.
    pub acts_for: Option<Acting>,
    /// Role names, sorted.
    pub roles: Vec<String>,
    /// Scope names, in the order granted.
    pub scopes: Vec<String>,
    /// What it may do in detail (RFC 9396).
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// How the person logged in.
    pub assurance: Assurance,
    /// The credential that proved it.
    pub credential: CredentialFacts,
    /// Where the request came from.
    pub source: Source,
}

/// The three kinds of principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "lowercase")]
#[cbor(index_only)]
pub enum PrincipalKind {
    /// A person.
    #[n(0)]
    User,
    /// A workload that serves an audience.
    #[n(1)]
    Service,
    /// A program that calls with its own credential.
    #[n(2)]
    Client,
}

impl PrincipalKind {
    /// Its name, as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
            Self::Client => "client",
        }
    }
}

/// The one on whose behalf a principal calls (RFC 8693 section 4.1 turned round: the principal is the actor).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Acting {
    /// Its kind.
    #[n(0)]
    pub kind: PrincipalKind,
    /// Its id.
    #[n(1)]
    pub id: String,
    /// Through whom the right to act came, the last first (RFC 8693 section 4.1: "prior actors are informational only").
    #[n(2)]
    #[cbor(skip_if = "Vec::is_empty")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<Actor>,
}

/// One that acts, or acted, for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Actor {
    /// Its kind.
    #[n(0)]
    pub kind: PrincipalKind,
    /// Its id.
    #[n(1)]
    pub id: String,
}

/// OpenID Connect Core section 2: `acr`, `amr`, `auth_time`. Empty for programs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Encode, Decode)]
pub struct Assurance {
    /// The authentication context class: `pwd` or `mfa`.
    #[n(0)]
    pub acr: Option<String>,
    /// The methods used (RFC 8176).
    #[n(1)]
    pub amr: Vec<String>,
    /// When the person last proved who they are.
    #[n(2)]
    #[cbor(with = "crate::event::codec::optional_timestamp")]
    pub auth_time: Option<Timestamp>,
}

/// The seven kinds of credential a request may present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum CredentialKind {
    /// A bearer JWT (RFC 9068).
    #[n(0)]
    Jwt,
    /// An opaque access token.
    #[n(1)]
    OpaqueToken,
    /// A token bound to a key or certificate (RFC 9449, RFC 8705).
    #[n(2)]
    BoundToken,
    /// A client certificate.
    #[n(3)]
    ClientCertificate,
    /// HTTP Basic (RFC 7617).
    #[n(4)]
    Basic,
    /// An API key.
    #[n(5)]
    ApiKey,
    /// A browser session's cookie.
    #[n(6)]
    BrowserSession,
}

impl CredentialKind {
    /// As routes, policies and events call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::OpaqueToken => "opaque_token",
            Self::BoundToken => "bound_token",
            Self::ClientCertificate => "client_certificate",
            Self::Basic => "basic",
            Self::ApiKey => "api_key",
            Self::BrowserSession => "browser_session",
        }
    }
}

/// A credential as far as others may know it: ids, never the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct CredentialFacts {
    /// How it was presented.
    #[n(0)]
    pub kind: CredentialKind,
    /// Its `jti`, key id or certificate serial.
    #[n(1)]
    pub id: String,
    /// Who issued it.
    #[n(2)]
    pub issuer: String,
    /// The family (OpenID Connect `sid`) it hangs on.
    #[n(3)]
    pub family: Option<String>,
    /// The login it hangs on.
    #[n(4)]
    pub session: Option<String>,
    /// The client it was issued to.
    #[n(5)]
    pub client: Option<String>,
    /// The key it was signed with.
    #[n(6)]
    pub key: Option<String>,
    /// The key its holder must prove, when it is bound.
    #[n(7)]
    pub bound_key: Option<BoundKey>,
    /// When it was issued.
    #[n(8)]
    #[cbor(with = "crate::event::codec::timestamp")]
    pub issued: Timestamp,
    /// When it dies by itself.
    #[n(9)]
    #[cbor(with = "crate::event::codec::timestamp")]
    pub expires: Timestamp,
}

/// RFC 7800: the key a bound credential names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum BoundKey {
    /// `jkt`: the thumbprint of a DPoP key.
    #[n(0)]
    Jwk(#[n(0)] String),
    /// `x5t#S256`: the thumbprint of a certificate.
    #[n(1)]
    Certificate(#[n(0)] String),
}

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Source {
    /// The address of the peer.
    pub address: Option<IpAddr>,
}
