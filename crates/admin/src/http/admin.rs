//! `/admin`

pub mod v1;
