//! `/admin/v1/explain`

pub mod one;
