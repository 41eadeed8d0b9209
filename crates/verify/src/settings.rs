//! What a service must know to join the authority.

use durward_base::Secret;
use url::Url;

/// The authority, by its two addresses.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The realm's issuer: `https://auth.example.com/realms/main`.
    pub issuer: Url,
    /// Where services get their feed: `https://auth.example.com:8446`.
    pub nodes: Url,
}

/// The service's own credential: a client whose `runs` names the service.
#[derive(Debug, Clone)]
pub struct ServiceCredential {
    /// The service, as the client's `runs` names it.
    pub service: String,
    /// The client's name.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

impl ServiceCredential {
    /// The service's client with its secret.
    pub fn new(service: impl Into<String>, client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self { service: service.into(), client_id: client_id.into(), client_secret: Secret::new(client_secret) }
    }
}
