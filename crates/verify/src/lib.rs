//! What a Rust service adds: a tower layer and extractors that verify and authorize in-process, from the authority's own feed.
//!
//! ```no_run
//! use axum::{Json, Router, routing::get};
//! use durward_verify::{Authenticated, Authority, Problem, ServiceCredential, Trust, Verifier};
//!
//! async fn stock(caller: Authenticated) -> Result<Json<u64>, Problem> {
//!     caller.authorize("inventory:read", ("Stock", "lamp"))?;
//!     Ok(Json(10))
//! }
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let authority = Authority { issuer: "https://localhost:8444/realms/main".parse()?, nodes: "https://localhost:8446".parse()? };
//! let trust = Trust::from_pem(&std::fs::read("ca.pem")?)?;
//! let credential = ServiceCredential::new("inventory", "inventory-program", std::env::var("INVENTORY_SECRET")?);
//! let verifier = Verifier::connect(&authority, &trust, &credential, "/var/lib/inventory".as_ref()).await?;
//! let routes: Router = Router::new().route("/stock", get(stock)).layer(verifier.layer("inventory"));
//! # Ok(())
//! # }
//! ```

mod authenticated;
mod exchange;
mod journal;
mod layer;
mod peer;
mod refusal;
mod settings;
mod tokens;
mod transaction;
mod verifier;

pub use authenticated::{Allowed, Authenticated};
pub use durward_model::resource::{Acr, Requirement};
pub use durward_model::{Principal, PrincipalKind};
pub use durward_net::{Problem, TlsError, Trust};
pub use layer::{Further, Verified, VerifyLayer};
pub use peer::{Answer, CallError, Peer};
pub use settings::{Authority, ServiceCredential};
pub use tokens::TokenError;
pub use transaction::Transaction;
pub use verifier::{ConnectError, Verifier};
