//! The rules, each case of attack by its id, over one small world.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod authentication_request;
mod authorization_code;
mod authorize;
mod canonical;
mod ciba;
mod client_authentication;
mod client_credentials;
mod client_metadata;
mod confusion;
mod consent;
mod device_code;
mod eligibility;
mod encrypted_request;
mod fixture;
mod foreign_token;
mod introspect;
mod issue_policy;
mod jwt_bearer;
mod logout;
mod logout_token;
mod metadata;
mod mint;
mod pairwise;
mod parameters;
mod pkce;
mod protection;
mod pushed_request;
mod redirect_uri;
mod refresh_token;
mod revoke;
mod scope;
mod token_exchange;
mod userinfo;
