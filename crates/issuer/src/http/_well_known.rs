//! `/.well-known/…`

pub mod authzen_configuration;
pub mod oauth_authorization_server;
pub mod openid_configuration;
