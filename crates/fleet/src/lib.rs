//! The authority's side of every node: the feed they follow, the events they send.

mod endpoints;
mod fleet;
mod gate;
pub mod http;
mod hub;
mod intake;
mod outbox;
mod pump;

pub use fleet::{Fleet, FleetSettings};
pub use gate::{FleetGate, Node};
