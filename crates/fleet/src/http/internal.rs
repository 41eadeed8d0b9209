//! `/internal`

pub mod v1;
