//! Policies, as their callers see them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod compile;
mod decide;
mod fixture;
mod index;
mod issue;
mod places;
