//! One file an endpoint; the path of the file is the path of the URL, without `/realms/{realm}`.

pub mod _well_known;
pub mod access;
pub mod account;
pub mod assets;
pub mod consent;
pub mod device;
pub mod gateways;
pub mod login;
pub mod oauth2;
