//! The issuer's endpoints over a real store, each case of attack by its id.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod access;
mod account;
mod code_flow;
mod consent;
mod documents;
mod fixture;
mod interaction;
mod login;
mod logout;
mod pages;
mod refresh;
mod tokens;
mod trouble;
