//! Configuration: one YAML file for the process, resources in YAML documents, and errors that point at their line.

pub mod documents;
mod place;
mod settings;

pub use documents::{Document, Documents};
pub use place::ConfigurationError;
pub use settings::{
    BrowserSessions, ClientAuthorities, GatewaySettings, Listen, LogFormat, Outbound, Settings, StoreChoice, Telemetry, resolve,
};
