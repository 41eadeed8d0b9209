//! Policies, as their callers see them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod changed;
mod compile;
mod decide;
mod fixture;
mod holds;
mod index;
mod issue;
mod places;
