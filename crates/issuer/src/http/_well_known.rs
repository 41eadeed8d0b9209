//! `/.well-known/…`

pub mod oauth_authorization_server;
pub mod openid_configuration;
