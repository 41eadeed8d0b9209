//! OpenID Connect CIBA: finding the person whom a client names, within bounds, and telling the client that they have answered.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use durward_authn::{Budget, Username, Verdict};
use durward_base::{ClientId, DeviceId, Duration, EventId, PersonId, RealmId, Secret, Timestamp};
use durward_model::{Answerer, DeviceAuthorization, Event, EventKind, Outcome, Person};
use durward_net::GuardedError;
use durward_oauth::ciba::{self, Hint};
use durward_oauth::{ErrorCode, OAuthError, Registry as _};
use durward_seal::Context;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};

use crate::call::Call;
use crate::issuer::Inner;
use crate::json::UNAVAILABLE;

/// Counters of this process: what is asked of one person, and how often one client names nobody.
#[derive(Debug)]
pub(crate) struct Calls {
    people: Mutex<Budget<PersonId>>,
    misses: Mutex<Budget<ClientId>>,
}

impl Default for Calls {
    fn default() -> Self {
        Self { people: Mutex::new(Budget::new(CALLS, MINUTE)), misses: Mutex::new(Budget::new(MISSES, MINUTE)) }
    }
}

impl Calls {
    /// Counts a request about a person, whichever client's.
    ///
    /// # Errors
    /// `temporarily_unavailable`, with 429.
    fn count(&self, person: PersonId, now: Timestamp) -> Result<(), OAuthError> {
        match self.people.lock().unwrap_or_else(PoisonError::into_inner).attempt(&person, now) {
            Verdict::Allowed => Ok(()),
            Verdict::Wait(wait) => Err(ciba::TOO_MANY.after(wait)),
        }
    }

    /// Counts a hint before it is looked at: whoever tries names learns of few whether they are somebody's.
    fn guess(&self, client: ClientId, now: Timestamp) -> Result<(), OAuthError> {
        match self.misses.lock().unwrap_or_else(PoisonError::into_inner).attempt(&client, now) {
            Verdict::Allowed => Ok(()),
            Verdict::Wait(wait) => Err(TOO_MANY_MISSES.after(wait)),
        }
    }

    fn right(&self, client: ClientId) {
        self.misses.lock().unwrap_or_else(PoisonError::into_inner).give_back(&client);
    }
}

/// The person whom a hint of a client names.
///
/// # Errors
/// `unknown_user_id`; `temporarily_unavailable` when the client names too many that are nobody, or this person is asked too much.
pub(crate) async fn person(call: &Call, client: ClientId, hint: &Hint) -> Result<Person, OAuthError> {
    call.issuer.calls.guess(client, call.now)?;
    let person = named(call, hint).await?.filter(|person| !person.disabled).ok_or(ciba::UNKNOWN_USER)?;
    call.issuer.calls.right(client);
    call.issuer.calls.count(person.id, call.now)?;
    Ok(person)
}

async fn named(call: &Call, hint: &Hint) -> Result<Option<Person>, OAuthError> {
    let (store, realm) = (call.issuer.store(), call.realm.name());
    match hint {
        Hint::Username(name) => {
            let Ok(username) = Username::parse(name) else { return Ok(None) };
            let found = store.person_by_username(realm, username.as_str()).await.map_err(|_| UNAVAILABLE)?;
            Ok(found.map(|credentials| credentials.person))
        }
        // By the login it was issued in: what the client knows the person as may be a name for this client alone.
        Hint::IdToken(hint) => {
            let Some(family) = hint.family else { return Ok(None) };
            let facts = store.family_facts(realm, family).await.map_err(|_| UNAVAILABLE)?;
            Ok(facts.map(|facts| facts.person).filter(|person| hint.is_about(&call.realm, &person.sub)))
        }
    }
}

/// A notification token as it is stored: for this request alone.
pub(crate) fn seal(call: &Call, device: DeviceId, token: &Secret) -> Vec<u8> {
    call.issuer.fields.seal(&context(call.realm.id(), device), token.expose().as_bytes(), call.issuer.rng())
}

fn context(realm: RealmId, device: DeviceId) -> Context {
    Context::new("durward client notification token 1").with(realm.to_bytes()).with(device.to_bytes())
}

/// Tells the client of a request, if it wants to be told, that it was answered: once, while nobody waits. A client that does not hear it asks by
/// itself (section 5: "the Client MAY also poll").
pub(crate) fn notify(call: &Call, device: &DeviceAuthorization) {
    let Answerer::Person(named) = &device.answerer else { return };
    let Some(sealed) = named.notification.clone() else { return };
    let (issuer, realm, id, device) = (Arc::clone(&call.issuer), call.realm.clone(), call.realm.id(), device.clone());
    tokio::spawn(async move {
        let client = realm.client_by_id(device.client).map(|client| client.metadata);
        let Some(uri) = client.and_then(|client| client.backchannel_client_notification_endpoint.as_ref()) else { return };
        let told = match request(&issuer, id, &device, &sealed) {
            Some(request) => issuer.settings.egress.post(uri, request).await,
            None => return tracing::error!(device = %device.id, "a stored notification token does not open"),
        };
        if let Err(error) = &told {
            tracing::warn!(%error, realm = device.realm, client = device.client_name, "a client was not told of an answer, and may ask");
        }
        if let Err(error) = issuer.store().commit(&[], event(&issuer, &device, told.as_ref().err())).await {
            tracing::warn!(%error, "that a client was told of an answer is not on record");
        }
    });
}

/// 10.2: the token "is sent as a Bearer token" in `Authorization`, the `auth_req_id` as JSON.
fn request(issuer: &Inner, realm: RealmId, device: &DeviceAuthorization, sealed: &[u8]) -> Option<Request<Bytes>> {
    let token = issuer.fields.open(&context(realm, device.id), sealed).ok()?;
    let mut bearer = HeaderValue::try_from([b"Bearer ", token.expose()].concat()).ok()?;
    bearer.set_sensitive(true);
    let mut request = Request::new(Bytes::from(ciba::ping(device, &issuer.handles, realm).ok()?));
    request.headers_mut().insert(AUTHORIZATION, bearer);
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(request)
}

fn event(issuer: &Inner, device: &DeviceAuthorization, failed: Option<&GuardedError>) -> Event {
    let now = issuer.now();
    let kind = EventKind::BackchannelAuthenticationNotified;
    let mut event = Event::new(EventId::new(now, issuer.rng()), now, crate::logout_delivery::NODE.into(), kind);
    event.realm = Some(device.realm.as_str().into());
    event.outcome = if failed.is_some() { Outcome::Failed } else { Outcome::Changed };
    event.reason = failed.map(|_| "ciba.undeliverable".to_owned());
    event.target = Some(format!("client/{} device/{}", device.client_name, device.id));
    event
}

/// Requests about one person, of all clients together.
const CALLS: u32 = 20;
/// Hints of one client that name nobody.
const MISSES: u32 = 30;
const MINUTE: Duration = Duration::from_secs(60);

const TOO_MANY_MISSES: OAuthError =
    OAuthError::new(ErrorCode::TooManyAttempts, "hint.too_many_unknown", "too many hints of this client named nobody: wait and try again");
