//! OpenID Connect Client-Initiated Backchannel Authentication Core 1.0 (CIBA), poll and ping: a client asks a person who sits somewhere else.
//!
//! [`AuthenticationRequest::read`] (may the client ask this?) → [`request`] (this person) → [`crate::device::approve`] or
//! [`crate::device::deny`] (the person's answer) → [`crate::grant::device_code`] (the tokens).

use durward_base::{ClientId, DeviceId, Duration, RealmId, Secret, Timestamp};
use durward_jose::Algorithm;
use durward_model::resource::{Client, ClientAuthentication, TokenDelivery};
use durward_model::{Answerer, BackchannelRequest, DeviceAuthorization, DeviceState, GrantType, Person};
use durward_seal::{HandleKeys, HandleKind};
use serde::Serialize;

use crate::acr::{Level, Wanted};
use crate::client_authentication::AuthenticatedClient;
use crate::device::{INTERVAL, Requested, asked_for};
use crate::error::{ErrorCode, OAuthError};
use crate::id_token::IdTokenHint;
use crate::parameters::Parameters;
use crate::registry::{RegisteredClient, Registry};
use crate::scope::OPENID;
use crate::{grant, jar, legible};

/// How long a person has to answer, and the client to redeem the answer, where the client names no time.
pub const LIFETIME: Duration = Duration::from_secs(300);
/// The longest that a client may name.
pub const LONGEST: Duration = Duration::from_secs(600);
/// The longest binding message, in characters: a person compares it at a glance.
pub const LONGEST_MESSAGE: usize = 128;
/// The longest `client_notification_token`, in bytes (section 7.1).
const LONGEST_TOKEN: usize = 1024;
/// The most requests of one client that wait for one person at a time: nobody is worn down until they say yes.
pub const MOST_WAITING: usize = 5;

/// An authentication request that was found valid; whom it is about is not known yet.
#[derive(Debug)]
pub struct AuthenticationRequest {
    /// Whom the client names.
    pub hint: Hint,
    /// What the client wants to be told with that there is an answer; none where it asks by itself.
    pub notification_token: Option<Secret>,
    audience: String,
    scopes: Vec<String>,
    binding_message: Option<String>,
    acr: Option<Level>,
    lifetime: Duration,
}

/// How a client names a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// By the name they log in with, as it was sent.
    Username(String),
    /// By an ID token that the client was issued.
    IdToken(IdTokenHint),
}

/// Where a request comes from, and what it will be known by.
#[derive(Debug, Clone)]
pub struct Origin {
    /// A fresh id.
    pub id: DeviceId,
    /// The address of the client.
    pub address: Option<String>,
    /// The client's notification token, sealed.
    pub notification: Option<Vec<u8>>,
}

impl AuthenticationRequest {
    /// Validates a request, signed or not.
    ///
    /// # Errors
    /// As section 13 has them.
    pub fn read(
        parameters: &Parameters,
        registry: &dyn Registry,
        client: &AuthenticatedClient<'_>,
        now: Timestamp,
    ) -> Result<Self, OAuthError> {
        let registered = client.registered();
        let metadata = registered.metadata;
        // 13: "unauthorized_client: The Client is not authorized to use this authentication flow."
        grant::allowed(metadata, GrantType::Ciba)?;
        let signed = signed(parameters, registry, registered, now)?;
        let parameters = signed.as_ref().unwrap_or(parameters);
        let hint = hint(parameters, registry, &metadata.name, now)?;
        // 7.1, scope: "REQUIRED. [...] OpenID Connect implements authentication as an extension to OAuth 2.0 by including the openid scope
        // value in the authorization requests."
        parameters.required("scope", OAuthError::invalid_request("scope.missing", "scope is required, with openid in it"))?;
        let (audience, scopes) = asked_for(registry, parameters, metadata, GrantType::Ciba)?;
        if !scopes.iter().any(|scope| scope == OPENID) {
            return Err(OAuthError::new(ErrorCode::InvalidScope, "scope.no_openid", "scope must have openid in it"));
        }
        Ok(Self {
            hint,
            notification_token: notification_token(parameters, metadata)?,
            audience,
            scopes,
            binding_message: binding_message(parameters)?,
            acr: Wanted::read(parameters.get("acr_values"), None)?.map(|wanted| wanted.level),
            lifetime: lifetime(parameters)?,
        })
    }
}

/// Decides a request about the person whom its hint names. `waiting` is what waits for their answer already.
///
/// # Errors
/// `unknown_user_id` for somebody who may not log in, `temporarily_unavailable` when the client asks too much of one person.
pub fn request(
    registry: &dyn Registry,
    client: &AuthenticatedClient<'_>,
    asked: AuthenticationRequest,
    (person, waiting): (&Person, &[DeviceAuthorization]),
    origin: Origin,
    now: Timestamp,
) -> Result<Requested, OAuthError> {
    let registered = client.registered();
    if person.disabled {
        return Err(UNKNOWN_USER);
    }
    must_not_press(registered.id, waiting)?;
    let device = DeviceAuthorization {
        id: origin.id,
        realm: registry.realm().name.clone(),
        answerer: Answerer::Person(BackchannelRequest {
            person: person.id,
            binding_message: asked.binding_message,
            acr: asked.acr.map(|level| level.name().to_owned()),
            notification: origin.notification,
        }),
        client: registered.id,
        client_name: registered.metadata.name.clone(),
        scopes: asked.scopes,
        audience: asked.audience,
        address: origin.address,
        state: DeviceState::Pending,
        family: None,
        created: now,
        expires: now + asked.lifetime,
    };
    Ok(Requested::of(client, device))
}

fn must_not_press(client: ClientId, waiting: &[DeviceAuthorization]) -> Result<(), OAuthError> {
    let own = waiting.iter().filter(|device| device.client == client).count();
    if own < MOST_WAITING { Ok(()) } else { Err(TOO_MANY) }
}

/// Section 7.3: the JSON of the answer, to be sent with `Cache-Control: no-store`.
///
/// # Errors
/// Never, but that JSON could not be written.
pub fn body(device: &DeviceAuthorization, handles: &HandleKeys, realm: RealmId) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Acknowledged {
        auth_req_id: auth_req_id(device, handles, realm).expose(),
        expires_in: device.expires.since(device.created).as_secs(),
        interval: INTERVAL.as_secs(),
    })
}

/// Section 10.2: the JSON that tells a client that there is an answer.
///
/// # Errors
/// Never, but that JSON could not be written.
pub fn ping(device: &DeviceAuthorization, handles: &HandleKeys, realm: RealmId) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Ping { auth_req_id: auth_req_id(device, handles, realm).expose() })
}

#[derive(Serialize)]
struct Acknowledged<'a> {
    auth_req_id: &'a str,
    expires_in: u64,
    interval: u64,
}

#[derive(Serialize)]
struct Ping<'a> {
    auth_req_id: &'a str,
}

fn auth_req_id(device: &DeviceAuthorization, handles: &HandleKeys, realm: RealmId) -> Secret {
    handles.mint(HandleKind::AuthReqId, realm, device.id.to_bytes(), 0)
}

/// Reads the `auth_req_id` of a token request.
///
/// # Errors
/// `invalid_request` when there is none, `invalid_grant` when it is not authentic.
pub fn read_auth_req_id(parameters: &Parameters, handles: &HandleKeys, realm: RealmId) -> Result<DeviceId, OAuthError> {
    let missing = OAuthError::invalid_request("auth_req_id.missing", "auth_req_id is required");
    let handle = handles.read(HandleKind::AuthReqId, realm, parameters.required("auth_req_id", missing)?);
    handle.map(|handle| DeviceId::from_bytes(handle.id())).map_err(|_| OAuthError::invalid_grant("auth_req_id.not_authentic"))
}

/// The level of authentication that a request asks for.
pub fn wanted(request: &BackchannelRequest) -> Option<Level> {
    request.acr.as_deref().and_then(Level::from_name)
}

/// Whether the person is to prove more before they allow it: what was asked for, when they can. OpenID Connect Core 3.1.2.1: "The acr Claim is
/// requested as a Voluntary Claim by this parameter", so who cannot answers all the same, and the ID token says how they had logged in.
pub fn must_prove_more(wanted: Level, had: Option<Level>, strongest: Level) -> bool {
    had.is_none_or(|had| had < wanted) && strongest >= wanted
}

/// Whether the client asks for people by signed requests alone. Section 4, `backchannel_authentication_request_signing_alg`: "When omitted, the
/// Client will not send signed authentication requests." FAPI-CIBA 5.2.2: "shall require Backchannel Authentication Endpoint requests to be
/// signed".
pub(crate) fn must_sign(client: &Client) -> bool {
    let asks = client.grants.contains(&GrantType::Ciba);
    asks && (client.backchannel_authentication_request_signing_alg.is_some() || client.profile.is_some())
}

/// Everything that is wrong with how a client would ask: the field and the sentence.
pub(crate) fn problems(client: &Client) -> Vec<(String, String)> {
    let asks = client.grants.contains(&GrantType::Ciba);
    let pings = client.backchannel_token_delivery_mode == Some(TokenDelivery::Ping);
    let algorithm = client.backchannel_authentication_request_signing_alg.as_deref();
    let known = |name: &str| Algorithm::ASYMMETRIC.iter().any(|algorithm| algorithm.name() == name);
    let keyless = client.jwks.is_none() && client.jwks_uri.is_none();
    let faults = [
        (asks && client.authentication == ClientAuthentication::None, "grants", "CIBA is for clients that authenticate"),
        (
            pings && client.backchannel_client_notification_endpoint.is_none(),
            "backchannel_client_notification_endpoint",
            "ping needs an address to call: name one, or poll",
        ),
        (
            algorithm.is_some_and(|name| !known(name)),
            "backchannel_authentication_request_signing_alg",
            "requests are signed by a key pair: expected ES256 or another such algorithm",
        ),
        (must_sign(client) && keyless, "jwks", "its requests for people are signed: register its public keys"),
    ];
    faults.into_iter().filter(|(wrong, ..)| *wrong).map(|(_, field, sentence)| (field.to_owned(), sentence.to_owned())).collect()
}

/// 7.1.1: what is signed counts alone.
fn signed(
    parameters: &Parameters,
    registry: &dyn Registry,
    client: RegisteredClient<'_>,
    now: Timestamp,
) -> Result<Option<Parameters>, OAuthError> {
    match parameters.get("request") {
        Some(object) => jar::read_backchannel(object, client, registry, now).map(Some),
        None if must_sign(client.metadata) => {
            Err(OAuthError::invalid_request("request.not_signed", "the client must sign its authentication requests"))
        }
        None => Ok(None),
    }
}

/// 7.1: "it is REQUIRED that the Client provides one (and only one) of the hints specified above in the authentication request".
fn hint(parameters: &Parameters, registry: &dyn Registry, client: &str, now: Timestamp) -> Result<Hint, OAuthError> {
    let get = |name| parameters.get(name);
    match (parameters.limited("login_hint")?, get("id_token_hint"), get("login_hint_token")) {
        (Some(name), None, None) => Ok(Hint::Username(name.to_owned())),
        (None, Some(token), None) => {
            let hint = IdTokenHint::verify(token, registry, now)?;
            // 7.1, id_token_hint: "An ID Token previously issued to the Client by the OpenID Provider".
            let other = OAuthError::invalid_request("hint.of_other_client", "id_token_hint was issued to another client");
            if hint.client_id == client { Ok(Hint::IdToken(hint)) } else { Err(other) }
        }
        // No form of these is agreed upon, so none names anybody.
        (None, None, Some(_)) => Err(UNKNOWN_USER),
        (None, None, None) => Err(OAuthError::invalid_request("hint.missing", "name the person by login_hint or id_token_hint")),
        _ => Err(OAuthError::invalid_request("hint.several", "name the person by one hint and not by several")),
    }
}

/// 13: "invalid_binding_message: The binding message is invalid or unacceptable for use in the context of the given request."
fn binding_message(parameters: &Parameters) -> Result<Option<String>, OAuthError> {
    let description = "binding_message must be 1 to 128 characters that people can see";
    let invalid = OAuthError::new(ErrorCode::InvalidBindingMessage, "binding_message.illegible", description);
    match parameters.get("binding_message") {
        Some(message) if !legible::is_legible(message, LONGEST_MESSAGE) => Err(invalid),
        message => Ok(message.map(str::to_owned)),
    }
}

/// 7.1, requested_expiry: "A positive integer allowing the Client to request the expires_in value for the auth_req_id the server will return."
fn lifetime(parameters: &Parameters) -> Result<Duration, OAuthError> {
    let malformed = OAuthError::invalid_request("requested_expiry.malformed", "requested_expiry must be a positive number of seconds");
    let Some(text) = parameters.get("requested_expiry") else { return Ok(LIFETIME) };
    let seconds = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).and_then(|text| text.parse::<u32>().ok());
    seconds.filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.into()).min(LONGEST)).ok_or(malformed)
}

/// 7.1, client_notification_token: "REQUIRED if the Client is registered to use Ping or Push modes. [...] The length of the token MUST NOT exceed
/// 1024 characters and it MUST conform to the syntax for Bearer credentials as defined in Section 2.1 of [RFC6750]."
fn notification_token(parameters: &Parameters, client: &Client) -> Result<Option<Secret>, OAuthError> {
    if client.backchannel_token_delivery_mode != Some(TokenDelivery::Ping) {
        return Ok(None);
    }
    let missing =
        OAuthError::invalid_request("notification_token.missing", "client_notification_token is required of a client that is pinged");
    let token = parameters.required("client_notification_token", missing)?;
    let bare = token.trim_end_matches('=');
    let in_syntax = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    if bare.is_empty() || token.len() > LONGEST_TOKEN || !bare.bytes().all(in_syntax) {
        let description = "client_notification_token must be a bearer token of at most 1024 characters";
        return Err(OAuthError::invalid_request("notification_token.malformed", description));
    }
    Ok(Some(Secret::new(token)))
}

/// 13: "unknown_user_id: The OpenID Provider is not able to identify which end-user the Client wishes to be authenticated by means of the hint
/// provided".
pub const UNKNOWN_USER: OAuthError = OAuthError::new(ErrorCode::UnknownUserId, "hint.unknown", "the hint names nobody who could be asked");

/// Somebody is asked too much.
pub const TOO_MANY: OAuthError =
    OAuthError::new(ErrorCode::TooManyAttempts, "ciba.too_many", "too many requests wait for this person: wait until they have answered");
