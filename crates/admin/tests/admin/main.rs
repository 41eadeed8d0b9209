//! The admin API in-process: its surface, a store in a temporary directory, a clock that stands still.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod access;
mod apply;
mod audit;
mod backup;
mod consequences;
mod escalation;
mod fixture;
mod keys;
mod passwords;
mod people;
mod requests;
mod walks;
