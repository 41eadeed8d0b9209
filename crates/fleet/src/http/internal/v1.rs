//! `/internal/v1`

pub mod events;
pub mod resolve;
