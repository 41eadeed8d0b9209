//! `/admin/v1`

pub mod api_keys;
pub mod apply;
pub mod audit;
pub mod backup;
pub mod ca;
pub mod clients;
pub mod clock;
pub mod explain;
pub mod groups;
pub mod keys;
pub mod people;
pub mod policies;
pub mod realms;
pub mod registration_tokens;
pub mod revocations;
pub mod roles;
pub mod routes;
pub mod schemas;
pub mod services;
pub mod sessions;
pub mod status;
pub mod trusted_issuers;
