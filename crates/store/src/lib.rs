//! The only crate with SQL: `Store`, migrations, one file per aggregate.

mod api_key;
mod batch;
mod client_secret;
mod consent;
mod device;
mod error;
mod event;
mod family;
mod feed;
mod housekeeping;
mod key;
mod logout_notice;
mod material;
mod migration;
mod person;
mod personal_token;
mod postgres;
mod registration;
mod resource;
mod revocation;
mod session;
mod settings;
mod spent;
mod sql;
mod sqlite;
mod store;
mod totp;

#[cfg(test)]
mod tests;

pub use error::{CommitError, OpenError, StoreError, Unavailable};
pub use event::EVENTS_PAGE;
pub use family::FamilyFacts;
pub use feed::CHANGES_PAGE;
pub use person::{Credentials, CursorError, PEOPLE_PAGE, People, PersonCursor};
pub use personal_token::PersonalTokenFacts;
pub use settings::StoreSettings;
pub use store::{Committed, Store};
