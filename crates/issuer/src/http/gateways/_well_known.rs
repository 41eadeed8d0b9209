//! `/gateways/{name}/.well-known/…`

pub mod openid_configuration;
