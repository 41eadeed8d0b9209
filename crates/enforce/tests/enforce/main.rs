//! Steps 3 to 5 of a request, as their callers see them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod access_evaluation;
mod cache;
mod credential;
mod decide;
mod delegation;
mod fixture;
mod foreign_token;
mod identity;
mod kept;
mod path;
mod possession;
mod principal;
mod resolved;
mod route;
mod step_up;
mod view;
