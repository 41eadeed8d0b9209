//! `/.well-known/authzen-configuration/…`

pub mod realms;
