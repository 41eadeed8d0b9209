//! `/assets/…`

pub mod one;
