//! `/access`

pub mod v1;
