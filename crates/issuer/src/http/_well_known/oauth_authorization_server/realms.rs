//! `/.well-known/oauth-authorization-server/realms/…`

pub mod one;
