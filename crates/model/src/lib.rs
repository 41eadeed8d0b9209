//! Plain records, their legal transitions, and the shared words: `Principal`, `Event`, `Write`, `Change`, `AccessClass`.

pub mod access;
pub mod authorization_details;
pub mod change;
pub mod device;
pub mod egress_url;
pub mod event;
pub mod grant;
pub mod key;
pub mod ledger;
pub mod logout_notice;
pub mod personal_token;
pub mod principal;
pub mod registration;
pub mod resolve;
pub mod resource;
pub mod revocation;
pub mod second_factor;
pub mod write;

pub use access::{AccessClass, AdminRole, RateClass};
pub use authorization_details::AuthorizationDetails;
pub use change::{Change, ClientSecret, Position, Record};
pub use device::{Answerer, BackchannelRequest, DeviceAuthorization, DeviceState};
pub use egress_url::{EgressRules, EgressUrl};
pub use event::{Caller, Chain, Decided, Event, EventKind, Outcome, Request};
pub use grant::{GrantType, LegacyGrant};
pub use key::{Key, KeyState, KeyUse};
pub use ledger::{Consent, Family, Person, Session};
pub use logout_notice::LogoutNotice;
pub use personal_token::PersonalToken;
pub use principal::{Acting, Actor, Assurance, BoundKey, CredentialFacts, CredentialKind, Principal, PrincipalKind, Source};
pub use registration::{InitialAccess, Registration};
pub use resource::{Resource, ResourceKind, Stored};
pub use revocation::{Revocation, RevocationKind};
pub use second_factor::Totp;
pub use write::{Spent, Write};
