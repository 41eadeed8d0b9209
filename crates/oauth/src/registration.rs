//! RFC 7591: OAuth 2.0 Dynamic Client Registration, and RFC 7592: its management; OpenID Connect Dynamic Client Registration 1.0 section 2.

mod addresses;
mod metadata;
mod pairwise;

use durward_base::{ClientId, Duration, KeyId, RealmId, Secret, Timestamp};
use durward_model::resource::{Client, ClientAuthentication, Registrations};
use durward_model::{
    ClientSecret, EgressRules, InitialAccess, Outcome, Registration, Resource, ResourceKind, Revocation, RevocationKind, Stored, Write,
};
use durward_seal::{HandleKeys, HandleKind};
use serde_json::{Map, Value, json};

use crate::client_metadata::{Names, Problem};
use crate::decision::{EventFacts, client_caller};
use crate::error::{ErrorCode, OAuthError};
use crate::registry::{RegisteredClient, Registry};

pub(crate) use metadata::members;

/// How long a client that anybody may register stays without being used.
pub const UNUSED: Duration = Duration::from_secs(24 * 3600);
/// How many clients may be registered an hour from one address, without an initial access token.
pub const AN_HOUR: u32 = 10;
/// How many changes of one client are looked at in an hour.
pub const CHANGES_AN_HOUR: u32 = 30;
/// The largest request.
pub const MAX_BYTES: usize = 64 * 1024;

/// RFC 7591 section 3.2.2: why nothing is registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{description}")]
pub struct RegistrationError {
    /// The value of `error`.
    pub code: &'static str,
    /// What was found, what was expected. Repeats the request, so it is for the client alone.
    pub description: String,
}

impl RegistrationError {
    /// Metadata that is not registered.
    pub fn metadata(description: impl Into<String>) -> Self {
        Self { code: "invalid_client_metadata", description: description.into() }
    }

    /// The stable reason for the audit record.
    pub const fn reason(&self) -> &'static str {
        match self.code.as_bytes() {
            b"invalid_redirect_uri" => "registration.redirect_uri",
            b"unapproved_software_statement" => "registration.software_statement",
            _ => "registration.metadata",
        }
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        json!({ "error": self.code, "error_description": self.description })
    }
}

/// Who may register at this realm: with which token, or anybody.
///
/// # Errors
/// `access_denied` where nobody may, `invalid_token` where the initial access token is none.
pub fn admit(registry: &dyn Registry, bearer: Option<&str>, keys: &HandleKeys) -> Result<Option<KeyId>, OAuthError> {
    let realm = registry.realm();
    let read = |text: &str| keys.read(HandleKind::InitialAccess, registry.id(), text).ok().map(|handle| KeyId::from_bytes(handle.id()));
    // RFC 7591 3: "The client registration endpoint MAY be an OAuth 2.0 protected resource and it MAY accept an initial access token".
    match (realm.registration, bearer.map(read)) {
        (Registrations::Open, None) if !realm.disabled => Ok(None),
        (_, None | Some(None)) => Err(NO_TOKEN),
        (Registrations::Off, Some(Some(_))) => Err(OFF),
        (Registrations::Token | Registrations::Open, Some(Some(_))) if realm.disabled => Err(OFF),
        (Registrations::Token | Registrations::Open, Some(Some(id))) => Ok(Some(id)),
    }
}

/// The text of an initial access token, shown once.
pub fn initial_access(access: &InitialAccess, keys: &HandleKeys, realm: RealmId) -> Secret {
    keys.mint(HandleKind::InitialAccess, realm, access.id.to_bytes(), 0)
}

/// A client that asks for its own registration: by the id and the generation of its token.
///
/// # Errors
/// `invalid_token`.
pub fn holder(registry: &dyn Registry, bearer: Option<&str>, keys: &HandleKeys) -> Result<(ClientId, u32), OAuthError> {
    let handle = bearer.and_then(|text| keys.read(HandleKind::Registration, registry.id(), text).ok()).ok_or(NO_TOKEN)?;
    Ok((ClientId::from_bytes(handle.id()), handle.generation()))
}

/// Whether the holder's token is the present one of the client in the address.
///
/// # Errors
/// `invalid_token`. RFC 7592 2: a client that does not exist is answered as a token that is not good.
pub fn managed<'r>(
    registry: &'r dyn Registry,
    client_id: &str,
    (holder, generation): (ClientId, u32),
    known: Option<&Registration>,
) -> Result<RegisteredClient<'r>, OAuthError> {
    let client = registry.client(client_id).filter(|client| client.id == holder && !client.metadata.disabled).ok_or(NO_TOKEN)?;
    let known = known.filter(|known| known.client == holder && known.generation == generation).ok_or(NO_TOKEN)?;
    if known.name == client_id { Ok(client) } else { Err(NO_TOKEN) }
}

/// What a request asks to be registered, valid as a whole: the client as it is to be under this `client_id`. Each write validates the whole
/// anew (attack DCR-004).
///
/// # Errors
/// `RegistrationError`.
pub fn requested(body: &[u8], client_id: &str, registry: &dyn Registry, rules: EgressRules) -> Result<Client, RegistrationError> {
    described(members(body)?, client_id, registry, rules)
}

/// The client of this `client_id` that these members describe, as [`requested`].
pub(crate) fn described(
    asked: Map<String, Value>,
    client_id: &str,
    registry: &dyn Registry,
    rules: EgressRules,
) -> Result<Client, RegistrationError> {
    let client = metadata::read(asked, client_id, registry)?;
    addresses::check(&client, rules)?;
    pairwise::check(&client)?;
    // A name that is a URL is that of a document.
    let named = |problem: &Problem| problem.field != "name" || !client_id.starts_with("https://");
    if let Some(problem) = crate::client_metadata::client(&client, &Present(registry)).into_iter().find(named) {
        let code = if problem.field.starts_with("redirect_uris") { "invalid_redirect_uri" } else { "invalid_client_metadata" };
        return Err(RegistrationError { code, description: format!("{}: {}", metadata::on_the_wire(&problem.field), problem.message) });
    }
    metadata::name(&client, registry.clients())?;
    Ok(client)
}

/// OpenID Connect Registration section 5: what stands at the `sector_identifier_uri` must list every redirect URI.
///
/// # Errors
/// `invalid_client_metadata`.
pub fn sector(client: &Client, document: &[u8]) -> Result<(), RegistrationError> {
    let listed: Vec<String> = serde_json::from_slice(document)
        .map_err(|_| RegistrationError::metadata("sector_identifier_uri: what stands there is no JSON array of URLs"))?;
    match client.redirect_uris.iter().find(|uri| !listed.contains(uri)) {
        None => Ok(()),
        Some(uri) => Err(RegistrationError::metadata(format!("sector_identifier_uri: what stands there does not list {uri}"))),
    }
}

/// The writes that register a client.
pub fn register(registry: &dyn Registry, stored: Stored, initial: Option<KeyId>, now: Timestamp) -> (Vec<Write>, Registration) {
    let (realm, name) = (registry.realm().name.clone(), stored.resource.name().to_owned());
    let client = ClientId::from_bytes(stored.id.to_bytes());
    let ends = initial.is_none().then_some(now + UNUSED);
    let registration = Registration { realm: realm.clone(), client, name, generation: 0, created: now, ends };
    let mut writes: Vec<_> = initial.map(|id| Write::UseInitialAccess { realm, id, at: now }).into_iter().collect();
    writes.push(Write::PutResource { stored: Box::new(stored), expected: None });
    writes.push(Write::OpenRegistration(registration.clone()));
    (writes, registration)
}

/// The writes that change a registered client, and end what it may no longer do. `secrets` are all it ever had.
///
/// # Errors
/// `invalid_client_metadata` where the change is one that no client makes.
pub fn change(
    (before, after): (&Stored, &Client),
    known: &Registration,
    secrets: &[ClientSecret],
    now: Timestamp,
) -> Result<Vec<Write>, RegistrationError> {
    let Resource::Client(earlier) = &before.resource else { return Err(RegistrationError::metadata("the client is gone")) };
    pairwise::stays(earlier, after)?;
    let realm = known.realm.clone();
    let changed = Stored { version: before.version + 1, resource: Resource::Client(after.clone()), ..before.clone() };
    let mut writes = vec![
        Write::RotateRegistration { realm: realm.clone(), client: known.client, from: known.generation },
        Write::PutResource { stored: Box::new(changed), expected: Some(before.version) },
    ];
    // Whoever goes over to keys need not guard what they had before, and a secret is new where there was none.
    if !has_secret(earlier) || !has_secret(after) {
        writes.extend(ends(secrets, now));
    }
    writes
        .extend(lost(earlier, after).then(|| Write::Revoke(Revocation::new(realm, RevocationKind::Client, &after.name, now, "role_lost"))));
    Ok(writes)
}

/// The writes that remove a client. RFC 7592 2.3: "the authorization server MUST invalidate all refresh tokens and access tokens [...] and
/// any other such material issued to the client".
pub fn remove(known: &Registration, version: u64, secrets: &[ClientSecret], now: Timestamp) -> Vec<Write> {
    let (realm, name) = (known.realm.clone(), known.name.clone());
    let mut writes: Vec<_> = ends(secrets, now).collect();
    writes.push(Write::EndRegistration { realm: realm.clone(), client: known.client });
    writes.push(Write::DeleteResource { realm: realm.clone(), kind: ResourceKind::Client, name: name.clone(), expected: version });
    writes.push(Write::Revoke(Revocation::new(realm, RevocationKind::Client, name, now, "deleted")));
    writes
}

/// Ends the secrets that are good still.
fn ends(secrets: &[ClientSecret], now: Timestamp) -> impl Iterator<Item = Write> {
    let live = secrets.iter().filter(move |secret| secret.expires.is_none_or(|end| end > now));
    live.map(move |secret| Write::ExpireClientSecret { realm: secret.realm.clone(), secret: secret.id, at: now })
}

/// RFC 7591 section 3.2.1: everything that is registered, with what is told beside it.
pub fn answer(client: &Client, registration: &Registration, secret: Option<&Secret>, registry: &dyn Registry, keys: &HandleKeys) -> Value {
    let token = keys.mint(HandleKind::Registration, registry.id(), registration.client.to_bytes(), registration.generation);
    let mut body: Map<String, Value> = metadata::written(client);
    body.insert("client_id".to_owned(), json!(client.name));
    body.insert("client_id_issued_at".to_owned(), json!(registration.created.seconds()));
    body.insert("registration_access_token".to_owned(), json!(token.expose()));
    body.insert("registration_client_uri".to_owned(), json!(format!("{}/oauth2/register/{}", registry.issuer(), client.name)));
    if let Some(secret) = secret {
        body.insert("client_secret".to_owned(), json!(secret.expose()));
    }
    if has_secret(client) {
        body.insert("client_secret_expires_at".to_owned(), json!(0));
    }
    Value::Object(body)
}

/// Whether a client proves itself by a secret.
pub const fn has_secret(client: &Client) -> bool {
    matches!(client.authentication, ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost)
}

/// What the record says of a change of a registered client by itself.
pub fn event(client: RegisteredClient<'_>) -> EventFacts {
    EventFacts::new(Outcome::Changed, client_caller(client, None)).about(format!("client/{}", client.metadata.name))
}

/// RFC 7592 section 2.2: what a change must say of itself, and must not.
///
/// # Errors
/// `invalid_client_metadata`.
pub fn must_be_about(body: &[u8], client_id: &str, is_secret: impl FnOnce(&Secret) -> bool) -> Result<(), RegistrationError> {
    let members = members(body)?;
    // "The client MUST include its "client_id" field in the request, and it MUST be the same as its currently issued client identifier."
    if members.get("client_id").and_then(Value::as_str) != Some(client_id) {
        return Err(RegistrationError::metadata("client_id: expected the client's own"));
    }
    // "The client MUST NOT include" these.
    let told = ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];
    if let Some(name) = told.into_iter().find(|name| members.contains_key(*name)) {
        return Err(RegistrationError::metadata(format!("{name}: not the client's to say")));
    }
    // "If the client includes the "client_secret" field in the request, the value of this field MUST match the currently issued client
    // secret for that client."
    match members.get("client_secret") {
        Some(Value::String(secret)) if is_secret(&Secret::new(secret.as_str())) => Ok(()),
        None => Ok(()),
        Some(_) => Err(RegistrationError::metadata("client_secret: expected the client's own, or none")),
    }
}

/// Whether a change takes something away.
fn lost(before: &Client, after: &Client) -> bool {
    let lacks = |had: &[String], has: &[String]| had.iter().any(|one| !has.contains(one));
    lacks(&before.scopes, &after.scopes)
        || lacks(&before.services, &after.services)
        || before.grants.iter().any(|grant| !after.grants.contains(grant))
        || before.authentication != after.authentication
}

/// What there is in the realm.
struct Present<'r>(&'r dyn Registry);

impl Names for Present<'_> {
    fn exists(&self, kind: ResourceKind, name: &str) -> bool {
        kind == ResourceKind::Service && self.0.service(name).is_some()
    }

    fn service(&self, name: &str) -> Option<&durward_model::resource::Service> {
        self.0.service(name)
    }
}

const OFF: OAuthError = OAuthError::new(ErrorCode::AccessDenied, "registration.off", "clients are not registered here");
const NO_TOKEN: OAuthError =
    OAuthError::new(ErrorCode::InvalidToken, "registration.token", "a token for registering is required, as `Authorization: Bearer`");
/// There were too many from one address.
pub const TOO_MANY: OAuthError = OAuthError::new(
    ErrorCode::TooManyAttempts,
    "registration.too_many",
    "too many clients were registered from this address: try again later",
);
/// There were too many changes of one client.
pub const TOO_MANY_CHANGES: OAuthError =
    OAuthError::new(ErrorCode::TooManyAttempts, "registration.too_many_changes", "the client was changed too often: wait and try again");
/// The initial access token is used up, or over.
pub const USED_UP: OAuthError = NO_TOKEN;
