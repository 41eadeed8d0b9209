//! A tower layer and extractors that verify and authorize in-process.
mod peer;
mod settings;
mod tokens;
mod transaction;

pub use peer::{Answer, CallError, Peer};
pub use settings::{Authority, ServiceCredential};
pub use tokens::TokenError;
pub use transaction::Transaction;
