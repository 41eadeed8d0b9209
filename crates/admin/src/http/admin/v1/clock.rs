//! `/admin/v1/clock`

pub mod confirm;
