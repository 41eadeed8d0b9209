//! `/internal/v1`

pub mod events;
