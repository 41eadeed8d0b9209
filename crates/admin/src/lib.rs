//! Management API: what operators and the command line call, over the local socket or with a token for the admin audience.
//!
//! Resources are declared whole: a request says what is to be, [`Plan`] says what that changes, and one guarded batch does it.

mod admin;
mod apply;
pub mod backup;
mod body;
mod call;
mod clients;
mod declared;
mod endpoints;
mod escalation;
mod explain;
mod gate;
pub mod http;
mod issued;
mod keys;
mod people;
mod plan;
mod refused;

pub use admin::{Admin, AdminSettings};
pub use gate::{AdminGate, Administrator};
pub use plan::{Apply, Difference, Fault, Item, Plan};
pub use refused::Refused;
