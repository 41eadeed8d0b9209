//! `/.well-known/oauth-authorization-server/…`

pub mod realms;
