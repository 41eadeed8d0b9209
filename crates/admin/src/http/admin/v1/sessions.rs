//! `/admin/v1/sessions`

pub mod one;
