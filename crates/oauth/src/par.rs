//! RFC 9126: OAuth 2.0 Pushed Authorization Requests. A request URI is sealed state, not a row: what is stored is that it was spent.

use durward_base::{Duration, Rng, Timestamp};
use durward_model::write::{Spent, Write};
use durward_seal::{StateError, StateKeys, Validity};
use serde::Serialize;

use crate::authorize::AuthorizationRequest;
use crate::client_authentication::AuthenticatedClient;
use crate::dpop::{self, Proof};
use crate::error::{ErrorCode, OAuthError};
use crate::parameters::Parameters;
use crate::redirect_uri;
use crate::registry::Registry;

/// How every request URI begins (RFC 9126 section 2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
const PURPOSE: &str = "pushed authorization request";

/// How long a request URI may wait for its browser. FAPI 2.0 Security Profile 5.3.2.2: "shall issue pushed authorization requests request_uri
/// with expires_in values of less than 600 seconds".
pub const LIFETIME: Duration = Duration::from_secs(60);

/// How long a spent one is remembered: longer than anybody takes from page to page.
const REMEMBERED: Duration = Duration::from_secs(2 * 60 * 60);

/// RFC 9126 2.2: the answer, 201.
#[derive(Debug, Serialize)]
pub struct Pushed {
    request_uri: String,
    expires_in: u64,
}

/// Takes a request from a client that authenticated, for one login. `id` is what is spent by it.
///
/// # Errors
/// Whatever the authorization endpoint would refuse; `invalid_dpop_proof`.
pub fn push(
    parameters: Parameters,
    registry: &dyn Registry,
    (client, proof): (&AuthenticatedClient<'_>, Option<&Proof>),
    id: [u8; 16],
    now: Timestamp,
) -> Result<AuthorizationRequest, OAuthError> {
    // 2.1: "The "request_uri" authorization request parameter is one exception, and it MUST NOT be provided."
    if parameters.get("request_uri").is_some() {
        return Err(OAuthError::invalid_request("request_uri.pushed", "a pushed request has no request_uri of its own"));
    }
    // Whoever authenticated is who asks: another name beside the credential was refused with it.
    let parameters = parameters.with("client_id", &client.registered().metadata.name);
    let mut request = AuthorizationRequest::pushed(&parameters, registry, id, now).map_err(|refusal| *refusal.error())?;
    request.key_thumbprint = dpop::pushed_code_key(request.key_thumbprint.as_deref(), proof)?.map(str::to_owned);
    Ok(request)
}

/// Seals a request into its URI.
///
/// # Errors
/// When it is too large to travel.
pub fn seal(
    request: &AuthorizationRequest,
    keys: &StateKeys,
    registry: &dyn Registry,
    rng: &Rng,
    now: Timestamp,
) -> Result<Pushed, OAuthError> {
    let sealed = keys.seal(PURPOSE, registry.id(), request, Validity { now, expires: now + LIFETIME }, rng);
    let sealed =
        sealed.map_err(|_| OAuthError::invalid_request("request.too_large", "the request is too large: at most 6 KiB are taken"))?;
    Ok(Pushed { request_uri: format!("{PREFIX}{sealed}"), expires_in: LIFETIME.as_secs() })
}

/// The `request_uri` of an authorization request, when it is one of ours.
pub fn reference(parameters: &Parameters) -> Option<&str> {
    parameters.get("request_uri")?.strip_prefix(PREFIX)
}

/// Opens what `reference` found. Nothing else of the request is read but the client that it is of.
///
/// RFC 9126 4: "The authorization server MUST validate authorization requests arising from a pushed request as it would any other
/// authorization request": what may have changed since is looked at again.
///
/// # Errors
/// `invalid_request_uri`, which is told on our own page.
pub fn open(
    reference: &str,
    parameters: &Parameters,
    registry: &dyn Registry,
    keys: &StateKeys,
    now: Timestamp,
) -> Result<AuthorizationRequest, OAuthError> {
    let request: AuthorizationRequest = keys
        .open(PURPOSE, registry.id(), reference, now)
        .map_err(|error| invalid(if error == StateError::Expired { "request_uri.expired" } else { "request_uri.not_authentic" }))?;
    // 2.2: "The request_uri MUST be bound to the client that posted the authorization request."
    if parameters.get("client_id") != Some(&request.client_id) {
        return Err(invalid("request_uri.client_mismatch"));
    }
    let client = registry.client(&request.client_id).filter(|client| client.id == request.client() && !client.metadata.disabled);
    let client = client.filter(|_| !registry.realm().disabled).ok_or(invalid("client.unknown"))?;
    if redirect_uri::matches(&client.metadata.redirect_uris, &request.redirect_uri) {
        Ok(request)
    } else {
        Err(invalid("redirect_uri.unregistered"))
    }
}

/// The write that uses a pushed request up, made together with its answer.
///
/// FAPI 2.0 Security Profile 5.3.2.2 wants one-time use enforced "at the point of authorization, not at the point of loading an authorization
/// page": programs load pages before people do.
pub fn spend(request: &AuthorizationRequest, realm: &str, now: Timestamp) -> Option<Write> {
    let id = request.pushed_as?;
    Some(Write::Spend { realm: realm.to_owned(), what: Spent::PushedRequest, id, expires: now + REMEMBERED })
}

/// RFC 9126 7.3: "The authorization server SHOULD make the request URIs one-time use".
pub const REPLAYED: OAuthError = invalid("request_uri.replayed");

const fn invalid(reason: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestUri, reason, "the request_uri is unknown, expired, used before or of another client")
}
