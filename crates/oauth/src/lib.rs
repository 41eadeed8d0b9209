//! Every OAuth and OpenID Connect rule as pure functions, one file per concept.
//!
//! A handler parses ([`Parameters`]), authenticates the client ([`client_authentication`]), loads facts, lets a `decide` function decide
//! ([`Decision`]), commits what it says, and mints ([`mint`]). Whatever issues, refreshes or resumes passes [`eligibility`].

pub mod access_token;
pub mod acr;
pub mod authorize;
pub mod builtin;
pub mod ciba;
pub mod client_authentication;
pub mod client_document;
pub mod client_metadata;
pub mod code;
pub mod confirmation;
pub mod consent;
pub mod cross_origin;
pub mod decision;
pub mod delegation;
pub mod device;
pub mod dpop;
pub mod eligibility;
pub mod error;
pub mod grant;
pub mod id_token;
pub mod introspect;
pub mod issue_policy;
pub mod jar;
pub mod jarm;
pub mod jwks;
pub mod key_ring;
pub mod key_schedule;
mod legible;
pub mod logout;
pub mod logout_token;
pub mod metadata;
pub mod mint;
pub mod par;
pub mod parameters;
pub mod person_claims;
pub mod personal_token;
pub mod pkce;
pub mod presented_token;
pub mod profile;
pub mod protection;
pub mod rar;
pub mod redirect_uri;
pub mod registration;
pub mod registry;
pub mod request_object_keys;
pub mod resource_indicator;
pub mod revoke;
pub mod scope;
pub mod sender_constraint;
mod subject_identifier;
pub mod trusted_issuer;
pub mod userinfo;

pub use builtin::{ADMIN_AUDIENCE, CLI_CLIENT, FLEET_AUDIENCE};
pub use client_authentication::AuthenticatedClient;
pub use decision::{Decision, EventFacts};
pub use error::{ErrorCode, OAuthError};
pub use grant::Grant;
pub use key_ring::KeyRing;
pub use mint::{Minted, mint};
pub use parameters::Parameters;
pub use registry::{Lineage, RegisteredClient, Registry};
