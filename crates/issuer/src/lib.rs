//! The authorization server's HTTP surface and its pages.
//!
//! Reading order: `endpoints` → `http/<path>` → a rule in `durward_oauth` → an aggregate in `durward_store`.

mod access_evaluation;
mod answer;
mod arrival;
mod authorization;
mod backchannel;
mod basic;
mod call;
mod client;
mod client_documents;
mod client_keys;
mod cookie;
mod cors;
mod device;
mod device_answer;
mod endpoints;
mod foreign_token;
mod form;
mod hashing;
mod http;
mod issuer;
mod json;
mod lineage;
mod logout_delivery;
mod origin;
mod page;
mod password_grant;
mod possession;
mod proof;
mod pushes;
mod realm;
mod registrations;
mod resolver;
mod second_factor;
mod sso;
mod transaction;
mod turns;

pub use hashing::{Busy, HashingPool, MAX_WAIT};
pub use issuer::{Issuer, IssuerSettings, KeyRings, MutualTls};
