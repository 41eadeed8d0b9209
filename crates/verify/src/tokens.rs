//! RFC 6749 section 4.4: the service's own tokens, one an audience, fetched once however many ask, and renewed before they end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use durward_base::{Duration, Secret};
use durward_net::Client;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use serde::Deserialize;
use url::Url;

use crate::ServiceCredential;

/// Largest answer of the token endpoint, in bytes.
const ANSWER: usize = 64 * 1024;

/// Why there is no token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenError {
    /// The authority cannot be reached.
    #[error("the authority gives no token for {audience}: {cause}")]
    Unreachable {
        /// The audience asked for.
        audience: String,
        /// What failed.
        cause: String,
    },
    /// The authority says no.
    #[error("the authority refuses a token for {audience}: {error}")]
    Refused {
        /// The audience asked for.
        audience: String,
        /// RFC 6749 section 5.2's code: `invalid_client`, `invalid_target`, …
        error: String,
    },
}

/// The service's tokens.
#[derive(Clone)]
pub(crate) struct Tokens(Arc<Inner>);

struct Inner {
    client: Client,
    endpoint: Url,
    authorization: HeaderValue,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

/// What is held for one audience. Whoever holds `flight` fetches; the others find what it fetched, or go on with what is still good.
#[derive(Default)]
struct Slot {
    held: Mutex<Option<Held>>,
    flight: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
pub(crate) struct Held {
    pub token: Arc<Secret>,
    pub renew: Instant,
    pub ends: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Tokens {
    pub(crate) fn new(client: Client, endpoint: Url, credential: &ServiceCredential) -> Self {
        let authorization = basic(credential);
        Self(Arc::new(Inner { client, endpoint, authorization, slots: Mutex::default() }))
    }

    /// A token for `audience`: the one held until 80 % of its life is over, then a new one. While the authority is away, the old one until its end.
    pub(crate) async fn token(&self, audience: &str) -> Result<Arc<Secret>, TokenError> {
        let slot = self.slot(audience);
        if let Some(token) = slot.good_until(|held| held.renew) {
            return Ok(token);
        }
        let _flight = match (slot.flight.try_lock(), slot.good_until(|held| held.ends)) {
            (Ok(flight), _) => flight,
            (Err(_), Some(token)) => return Ok(token),
            (Err(_), None) => slot.flight.lock().await,
        };
        if let Some(token) = slot.good_until(|held| held.renew) {
            return Ok(token);
        }
        let fetched = self.fetch(audience, own(audience), HeaderMap::new()).await;
        match (fetched, slot.good_until(|held| held.ends)) {
            (Ok(held), _) => Ok(Arc::clone(&slot.lock().insert(held).token)),
            (Err(TokenError::Unreachable { .. }), Some(old)) => Ok(old),
            (Err(error), _) => {
                *slot.lock() = None;
                Err(error)
            }
        }
    }

    /// Forgets a token that was refused, unless it has been replaced already.
    pub(crate) fn forget(&self, audience: &str, refused: &Secret) {
        self.slot(audience).lock().take_if(|held| *held.token == *refused);
    }

    /// Forgets whatever is held for an audience.
    pub(crate) fn forget_all(&self, audience: &str) {
        *self.slot(audience).lock() = None;
    }

    fn slot(&self, audience: &str) -> Arc<Slot> {
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(audience.to_owned()).or_default())
    }
}

impl Slot {
    fn good_until(&self, end: impl Fn(&Held) -> Instant) -> Option<Arc<Secret>> {
        self.lock().as_ref().filter(|held| Instant::now() < end(held)).map(|held| Arc::clone(&held.token))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The form that asks for a token of the service's own.
fn own(audience: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("resource", audience)
        .finish()
}

impl Tokens {
    /// Asks the token endpoint, as part of whatever the header fields name.
    pub(crate) async fn fetch(&self, audience: &str, form: String, headers: HeaderMap) -> Result<Held, TokenError> {
        let unreachable = |cause: String| TokenError::Unreachable { audience: audience.to_owned(), cause };
        let mut request = Request::post(self.0.endpoint.as_str())
            .header(header::AUTHORIZATION, self.0.authorization.clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.into())
            .map_err(|error| unreachable(error.to_string()))?;
        request.headers_mut().extend(headers);
        let asked = Instant::now();
        let answer = self.0.client.call(request, ANSWER).await.map_err(|error| unreachable(error.to_string()))?;
        match answer.status() {
            StatusCode::OK => {
                let granted: Granted =
                    serde_json::from_slice(answer.body()).map_err(|_| unreachable("its answer is no token".to_owned()))?;
                let life = Duration::from_secs(granted.expires_in.min(3600));
                Ok(Held { token: Arc::new(granted.access_token), renew: asked + life.mul_f64(0.8), ends: asked + life })
            }
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let refused: Option<Refused> = serde_json::from_slice(answer.body()).ok();
                let error = refused.map_or_else(|| answer.status().to_string(), |refused| refused.error.chars().take(60).collect());
                Err(TokenError::Refused { audience: audience.to_owned(), error })
            }
            status => Err(unreachable(format!("its token endpoint answers {status}"))),
        }
    }
}

/// RFC 6749 section 2.3.1: both halves form-urlencoded, then as HTTP Basic.
fn basic(credential: &ServiceCredential) -> HeaderValue {
    use base64::Engine as _;
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(&credential.client_id), encode(credential.client_secret.expose()));
    let text = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let mut value = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests;
