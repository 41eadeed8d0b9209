//! Durward as a library: configuration, wiring, and the command line. The only crate that sees everything.

pub mod cli;
pub mod configuration;
pub mod demo;
mod http;
pub mod server;
