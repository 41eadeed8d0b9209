//! Durward as a library: configuration, wiring, and the command line. The only crate that sees everything.

pub mod configuration;
pub mod server;
