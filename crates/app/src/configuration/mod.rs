//! Configuration: one YAML file for the process, resources in YAML documents, and errors that point at their line.

mod acme;
pub mod documents;
mod gateway;
mod paths;
mod place;
mod settings;
mod upstreams;

pub use acme::{Acme, ExternalAccount};
pub use documents::{Document, Documents};
pub use gateway::{BrowserSessions, ClientAuthorities, GatewaySettings};
pub use place::ConfigurationError;
pub use settings::{CertificateFiles, HERE, Listen, LogFormat, Outbound, Settings, StoreChoice, Telemetry, resolve};
pub use upstreams::{UpstreamTimeouts, UpstreamTls};
