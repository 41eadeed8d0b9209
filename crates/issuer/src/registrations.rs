//! RFC 7591: what registering remembers between requests, and the writes that come of it.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use axum::response::Response;
use durward_authn::{Allowance, Host, Verdict};
use durward_base::{ClientId, Duration, KeyId, RealmId, Secret, Timestamp, base64url};
use durward_model::resource::{Client, Origin};
use durward_model::{ClientSecret, Write};
use durward_oauth::registration::{self, AN_HOUR, CHANGES_AN_HOUR, RegistrationError, TOO_MANY, TOO_MANY_CHANGES};
use durward_oauth::{ErrorCode, OAuthError, RegisteredClient, Registry as _};
use http::StatusCode;

use crate::call::Call;
use crate::json;

/// The most clients remembered as used.
const MOST: usize = 100_000;
const HOUR: Duration = Duration::from_secs(3600);
/// Others have what there is of the way out.
const BUSY: OAuthError =
    OAuthError::new(ErrorCode::TemporarilyUnavailable, "registration.busy", "too many addresses are being read: try again soon");
/// The largest list at a `sector_identifier_uri`.
const LARGEST_SECTOR: usize = 64 * 1024;

/// Counters of this process.
#[derive(Debug)]
pub(crate) struct Registrations {
    requests: Mutex<Allowance<Host>>,
    changes: Mutex<Allowance<ClientId>>,
    used: Mutex<HashSet<ClientId>>,
}

impl Default for Registrations {
    fn default() -> Self {
        let [requests, changes] = [AN_HOUR, CHANGES_AN_HOUR];
        Self {
            requests: Mutex::new(Allowance::new(requests, HOUR)),
            changes: Mutex::new(Allowance::new(changes, HOUR)),
            used: Mutex::default(),
        }
    }
}

impl Registrations {
    /// Counts a registration without an initial access token.
    ///
    /// # Errors
    /// `temporarily_unavailable`, with 429.
    pub(crate) fn request(&self, call: &Call) -> Result<(), OAuthError> {
        match self.requests.lock().unwrap_or_else(PoisonError::into_inner).attempt(&Host::of(call.address()), call.now) {
            Verdict::Allowed => Ok(()),
            Verdict::Wait(wait) => Err(TOO_MANY.after(wait)),
        }
    }

    /// Counts a change that a client asks for, before it is looked at.
    ///
    /// # Errors
    /// `temporarily_unavailable`, with 429.
    pub(crate) fn change(&self, client: ClientId, now: Timestamp) -> Result<(), OAuthError> {
        match self.changes.lock().unwrap_or_else(PoisonError::into_inner).attempt(&client, now) {
            Verdict::Allowed => Ok(()),
            Verdict::Wait(wait) => Err(TOO_MANY_CHANGES.after(wait)),
        }
    }

    /// Whether a client is used for the first time, as far as is known here.
    fn is_first(&self, client: ClientId) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= MOST {
            used.clear();
        }
        used.insert(client)
    }
}

/// Why a request to register is refused.
pub(crate) enum Refusal {
    /// By what stands in its header.
    OAuth(OAuthError),
    /// By what it asks for.
    Metadata(RegistrationError),
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl From<RegistrationError> for Refusal {
    fn from(error: RegistrationError) -> Self {
        Self::Metadata(error)
    }
}

impl Refusal {
    /// The answer, with the reason on record.
    pub(crate) fn answer(self, call: &Call) -> Response {
        match self {
            Self::OAuth(error) => json::refuse(call, error),
            Self::Metadata(error) => {
                call.refused(error.reason());
                let mut response = json::private(error.body().to_string().into_bytes());
                *response.status_mut() = StatusCode::BAD_REQUEST;
                response
            }
        }
    }
}

/// The token of a request that has one in its header.
pub(crate) fn bearer(call: &Call) -> Option<&str> {
    match call.authorization().as_slice() {
        [header] => header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token),
        _ => None,
    }
}

/// Reads what a client asks to be registered, and what stands at its `sector_identifier_uri`.
pub(crate) async fn requested(call: &Call, body: &[u8], client_id: &str) -> Result<Client, Refusal> {
    let egress = &call.issuer.settings.egress;
    let client = registration::requested(body, client_id, &call.realm, egress.rules())?;
    if let Some(uri) = &client.sector_identifier_uri {
        let _turn = call.issuer.turns.take(call.address()).ok_or(BUSY)?;
        let unread = |_| RegistrationError::metadata("sector_identifier_uri: what stands there cannot be read");
        let document = egress.get(uri, "application/json", LARGEST_SECTOR).await.map_err(unread)?;
        registration::sector(&client, document.body())?;
    }
    Ok(client)
}

/// A new secret for a client, and the write that keeps its hash.
pub(crate) fn new_secret(call: &Call, client: ClientId) -> (Secret, Write) {
    let (rng, realm): (_, RealmId) = (call.issuer.rng(), call.realm.id());
    let secret = Secret::new(base64url::encode(&rng.bytes::<32>()));
    let hash = base64url::encode(&call.issuer.hasher.hash(realm, client, &secret));
    let (id, realm) = (KeyId::new(call.now, rng), call.realm.name().to_owned());
    (secret, Write::PutClientSecret(ClientSecret { id, realm, client, hash, created: call.now, expires: None }))
}

/// Lets a client that registered itself stay, once it is used.
pub(crate) async fn used(call: &Call, client: RegisteredClient<'_>) {
    if client.metadata.origin == Origin::Registered && call.issuer.registrations.is_first(client.id) {
        let noted = call.issuer.store().registration_used(call.realm.name(), client.id, call.now).await;
        if let Err(error) = noted {
            tracing::warn!(%error, client = client.metadata.name, "that a registered client is used could not be written");
        }
    }
}
