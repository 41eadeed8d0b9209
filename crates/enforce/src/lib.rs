//! Steps 3 to 5 of a request: which credential, who it proves, whether they may; over a compiled `View` of the feed's snapshot.
//!
//! ```text
//! Head → NormalPath → Routed → Presented → Verified → Permitted
//! ```

pub mod access_evaluation;
mod bounds;
mod cache;
mod credential;
mod cross_site;
mod decide;
mod head;
mod identity;
mod issuer;
mod path;
mod possession;
mod principal;
mod profile;
mod query_key;
mod refusal;
mod resolved;
pub mod resource_metadata;
mod route;
mod template;
mod verified;
mod view;

pub use bounds::BoundsError;
pub use cache::{CredentialCache, DEFAULT_BYTES, Proved};
pub use credential::{CredentialError, Evidence, Presented, cookie_pairs, must_be_accepted};
pub use cross_site::must_not_be_cross_site;
pub use decide::{Circumstances, Decision, Demand, Denial, Permitted, StepUp, decide};
pub use durward_oauth::dpop::Freshness;
pub use durward_policy::{Entity, EntityError, Places};
pub use head::Head;
pub use identity::{IDENTITY_LIFETIME, IdentityIssuer, IdentityToken};
pub use issuer::{gateway_issuer, realm_issuer};
pub use path::{NormalPath, PathError};
pub use possession::{Possession, PresentedToken};
pub use principal::{Audience, Consumer, TokenError};
pub use query_key::without_key;
pub use refusal::{CannotVerify, Refusal, must_be_fresh};
pub use resolved::Known;
pub use route::{CompiledRoute, RouteError, RouteProblem, RouteTable, Routed, UpstreamHost};
pub use template::{ResourceTemplate, TemplateError};
pub use verified::{TokenKind, Verified};
pub use view::{Catalog, Declared, Keys, RealmView, VerificationKey, View, ViewProblem};
