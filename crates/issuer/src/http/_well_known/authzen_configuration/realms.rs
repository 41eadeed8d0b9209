//! `/.well-known/authzen-configuration/realms/…`

pub mod one;
