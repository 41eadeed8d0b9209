//! OpenID Connect Discovery section 4 and RFC 8414: another OpenID provider than this installation's authority, as it describes itself. All that
//! is asked of it goes by the guarded way out.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use durward_base::{Duration, Timestamp};
use durward_jose::{JwkSet, UnverifiedJwt};
use durward_model::EgressUrl;
use durward_net::Egress;
use durward_node::KeySets;
use durward_oauth::trusted_issuer::TrustedIssuer;
use http::{Request, Response};
use serde::Deserialize;

use super::party::NoTokens;

/// The largest description.
const LARGEST: usize = 64 * 1024;
/// Age at which a description is read again.
const FRESH: Duration = Duration::from_secs(3600);
/// Least time between two attempts to read it.
const AGAIN: Duration = Duration::from_secs(5);

/// What a gateway must be told of a provider that is not this installation's authority.
#[derive(Clone)]
pub struct ForeignProvider {
    /// The service that its people's sessions are for.
    pub service: String,
    /// The scopes to ask it for.
    pub scopes: Vec<String>,
    /// The guarded way out.
    pub egress: Egress,
    /// The keys that it and others publish.
    pub key_sets: KeySets,
}

/// A provider, and what it last said of itself.
pub(super) struct Provider {
    pub settings: ForeignProvider,
    issuer: String,
    described: Mutex<Option<(Arc<Description>, Timestamp)>>,
    tried: tokio::sync::Mutex<Option<Timestamp>>,
}

/// What a provider says of itself: as much as a relying party needs.
#[derive(Debug, Deserialize)]
pub(super) struct Description {
    issuer: String,
    pub authorization_endpoint: String,
    token_endpoint: String,
    #[serde(default)]
    revocation_endpoint: Option<String>,
    #[serde(default)]
    pub end_session_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// RFC 9207 section 3.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl Provider {
    pub fn new(issuer: String, settings: ForeignProvider) -> Self {
        Self { settings, issuer, described: Mutex::default(), tried: tokio::sync::Mutex::default() }
    }

    /// What it last said, without waiting.
    pub fn known(&self) -> Option<Arc<Description>> {
        self.described.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(description, _)| Arc::clone(description))
    }

    /// What it says. The last that was good serves on when there is nothing better to be had.
    pub async fn description(&self, now: Timestamp) -> Result<Arc<Description>, NoTokens> {
        let is_fresh = || {
            let described = self.described.lock().unwrap_or_else(PoisonError::into_inner);
            described.as_ref().filter(|(_, read)| now < *read + FRESH).map(|(description, _)| Arc::clone(description))
        };
        if let Some(description) = is_fresh() {
            return Ok(description);
        }
        let mut tried = self.tried.lock().await;
        if let Some(description) = is_fresh() {
            return Ok(description);
        }
        if tried.is_none_or(|tried| now >= tried + AGAIN) {
            *tried = Some(now);
            match self.read().await {
                Ok(description) => *self.described.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::new(description), now)),
                Err(error) => tracing::warn!(issuer = self.issuer, error, "what an OpenID provider says of itself cannot be read"),
            }
        }
        self.known().ok_or_else(|| NoTokens::Unknown("it does not say where its endpoints are".to_owned()))
    }

    async fn read(&self) -> Result<Description, String> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let url = EgressUrl::parse(&url).map_err(|error| error.to_string())?;
        let answer = self.settings.egress.get(&url, "application/json", LARGEST).await.map_err(|error| error.to_string())?;
        let description: Description = serde_json::from_slice(answer.body()).map_err(|error| error.to_string())?;
        // Discovery 4.3: "The issuer value returned MUST be identical to the Issuer URL that was used as the prefix to /.well-known/openid-configuration
        // to retrieve the configuration information."
        if description.issuer != self.issuer {
            return Err(format!("it says that it is {:?}", description.issuer));
        }
        let endpoints = [Some(&description.authorization_endpoint), description.end_session_endpoint.as_ref()];
        for endpoint in endpoints.into_iter().flatten() {
            EgressUrl::parse(endpoint).map_err(|error| format!("{endpoint:?}: {error}"))?;
        }
        Ok(description)
    }

    /// Sends it a request.
    pub async fn send(&self, endpoint: &str, request: Request<Bytes>, largest: usize) -> Result<Response<Bytes>, NoTokens> {
        let unknown = |error: &dyn std::fmt::Display| NoTokens::Unknown(error.to_string());
        let url = EgressUrl::parse(endpoint).map_err(|error| unknown(&error))?;
        self.settings.egress.call(&url, request, largest).await.map_err(|error| unknown(&error))
    }

    /// The keys that its trusted issuer publishes, for the JWT that is to be verified; none where they are declared.
    pub async fn keys(&self, issuer: &TrustedIssuer, text: &str) -> Option<Arc<JwkSet>> {
        let uri = issuer.declared().jwks_uri.as_ref()?;
        let kid = UnverifiedJwt::parse(text).ok()?.kid().map(str::to_owned);
        self.settings.key_sets.load(uri, kid.as_deref()).await
    }
}

impl Description {
    /// Where it takes a request of this kind: `token` or `revoke`.
    pub fn endpoint(&self, name: &str) -> Option<&str> {
        match name {
            "token" => Some(&self.token_endpoint),
            "revoke" => self.revocation_endpoint.as_deref(),
            _ => None,
        }
    }

    /// Discovery 3: "If omitted, the default is client_secret_basic".
    pub fn takes_basic(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_deref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic"))
    }
}

impl std::fmt::Debug for ForeignProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ForeignProvider(for {})", self.service)
    }
}
