//! `/access/v1`: OpenID AuthZEN Authorization API 1.0.

pub mod evaluation;
pub mod evaluations;
