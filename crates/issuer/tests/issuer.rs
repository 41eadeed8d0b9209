//! The issuer's endpoints over a real store, each case of attack by its id.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod access;
mod account;
mod advertised;
mod backchannel;
mod client_documents;
mod client_keys;
mod clock;
mod code_flow;
mod conformance;
mod consent;
mod consents;
mod cross_origin;
mod device;
mod documents;
mod exchange;
mod fixture;
mod garbage;
mod guesses;
mod implicit_grant;
mod interaction;
mod limits;
mod login;
mod logout;
mod logout_delivery;
mod mutual_tls;
mod openidconnect;
mod pages;
mod par;
mod password_grant;
mod personal_tokens;
mod protection;
mod refresh;
mod registration;
mod relogin;
mod resources;
mod rich_authorization;
mod second_factor;
mod sender_constraint;
mod tokens;
mod trouble;
