//! RFC 6749 section 2.3: who calls a machine's endpoint.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use durward_authn::ClientClaim;
use durward_base::EventId;
use durward_model::Write;
use durward_model::write::Spent;
use durward_oauth::client_authentication::{PresentedClient, REPLAYED};
use durward_oauth::decision::client_caller;
use durward_oauth::{AuthenticatedClient, ErrorCode, OAuthError, Parameters, Registry as _};
use durward_store::CommitError;
use http::StatusCode;

use crate::call::Call;
use crate::client_documents;
use crate::client_keys;
use crate::json::UNAVAILABLE;

/// The same for a client that there is and for one that there is not.
const THROTTLED: OAuthError = OAuthError::new(
    ErrorCode::TooManyAttempts,
    "client.throttled",
    "too many attempts of this client from this address failed: wait as long as Retry-After says",
);

/// Of a name that anybody may have made up, so many characters are put on the record.
const NAME_ON_RECORD: usize = 64;

/// Authenticates the client, and puts it on the record.
///
/// # Errors
/// `invalid_client`, `invalid_request`.
pub(crate) async fn authenticate<'c>(call: &'c Call, parameters: &Parameters) -> Result<AuthenticatedClient<'c>, OAuthError> {
    let presented = PresentedClient::read(&call.authorization(), parameters)?.with_certificate(call.certificate());
    client_documents::read(call, presented.client_id()).await;
    let claimed = call.realm.client(presented.client_id()).map(|client| client.metadata);
    // A name that is nobody's is put on the record as well: it says what was guessed at, and takes as long.
    let name = claimed.map_or(presented.client_id(), |client| &client.name);
    call.recorder.edit(|event| event.target = Some(format!("client/{name:.NAME_ON_RECORD$}")));
    if let Some(claimed) = claimed {
        client_keys::read(call, claimed, presented.key_id().as_deref()).await;
    }
    let client = proven(call, &presented)?;
    call.recorder.edit(|event| {
        event.target = None;
        event.caller = Some(Arc::new(client_caller(client.registered(), None)));
        // While a secret is being changed for another, this says who still uses the old one.
        event.detail = client.secret().map(|secret| format!("client_secret/{secret}"));
        // A service asks for the sake of a request that it names, and `explain` shows what it was given below that.
        event.chain.parent = client.registered().metadata.runs.as_ref().and_then(|_| caused_by(call));
    });
    if is_spent(call, &client.spend()).await? { Err(REPLAYED) } else { Ok(client) }
}

/// Whether what these writes use up is used up already. Their guards decide; this is how a replay is told from a race about something else.
///
/// # Errors
/// `temporarily_unavailable`.
pub(crate) async fn is_spent(call: &Call, writes: &[Write]) -> Result<bool, OAuthError> {
    for write in writes {
        if let Write::Spend { realm, what, id, .. } = write
            && call.issuer.store().is_spent(realm, *what, *id).await.map_err(|_| UNAVAILABLE)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The request for which a service says that it asks.
fn caused_by(call: &Call) -> Option<String> {
    let id = call.headers.get("x-request-id")?.to_str().ok()?;
    id.parse::<EventId>().is_ok().then(|| id.to_owned())
}

/// Verifies the proof. Guesses at secrets are counted, for clients that there are and for names that are nobody's alike.
fn proven<'c>(call: &'c Call, presented: &PresentedClient<'_>) -> Result<AuthenticatedClient<'c>, OAuthError> {
    let authenticate = || presented.authenticate(&call.realm, &call.issuer.hasher, call.now);
    if !presented.offers_secret() {
        return authenticate();
    }
    let address = call.address().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let claim = ClientClaim::new(call.realm.name(), presented.client_id(), address);
    if !call.issuer.client_throttle().admits(&claim, call.now) {
        return Err(THROTTLED);
    }
    match authenticate() {
        Ok(client) => {
            call.issuer.client_throttle().succeeded(&claim, call.now);
            Ok(client)
        }
        Err(error) if call.issuer.client_throttle().failed(&claim, call.now) => Err(error),
        Err(_) => Err(THROTTLED),
    }
}

/// Refuses a client without a credential of its own.
///
/// # Errors
/// `invalid_client`.
pub(crate) fn confidential(client: &AuthenticatedClient<'_>) -> Result<(), OAuthError> {
    let public = OAuthError::new(ErrorCode::InvalidClient, "client.public", "only a client with a credential of its own may ask");
    if client.is_confidential() { Ok(()) } else { Err(public) }
}

/// Commits what a decision writes, together with the event; false when somebody else was faster and it must be decided again.
///
/// # Errors
/// `invalid_client` when the same assertion was faster, `temporarily_unavailable`.
pub(crate) async fn commit(call: &Call, writes: &[Write], status: StatusCode) -> Result<bool, OAuthError> {
    if writes.is_empty() {
        return Ok(true);
    }
    let Err(error) = call.commit(writes, status).await else { return Ok(true) };
    call.recorder.edit(|event| event.issued = None);
    match error {
        CommitError::Conflict { write_index } => match writes.get(write_index) {
            Some(Write::Spend { what: Spent::ClientAssertion, .. }) => Err(REPLAYED),
            _ => Ok(false),
        },
        CommitError::Unavailable(_) => Err(UNAVAILABLE),
    }
}
