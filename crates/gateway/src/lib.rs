//! The enforcement point and its data path: accept (TLS) → route → credential → principal → decide → forward → record, one file a step.

mod accept;
mod access_evaluation;
mod browser;
mod certificate;
mod cors;
mod credential;
mod decide;
mod forward;
mod front;
mod gateway;
mod grpc;
mod lifetime;
mod lookups;
mod principal;
mod rate;
mod record;
mod refusal;
mod request_id;
mod resource_metadata;
mod route;
mod settings;
mod terms;
mod upgrade;
mod upstream;

pub use browser::{BrowserSettings, ForeignProvider};
pub use certificate::{KnownAuthorities, RealmAuthorities};
pub use gateway::Gateway;
pub use settings::GatewaySettings;
pub use upstream::{UpstreamPem, UpstreamSettings, UpstreamStatus, UpstreamTimeouts, UpstreamTls, UpstreamTlsError};
