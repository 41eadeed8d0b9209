//! `/feed`

pub mod v1;
