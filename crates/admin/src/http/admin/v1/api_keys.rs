//! `/admin/v1/api-keys`: long-lived credentials of programs.

pub mod one;
pub mod rotate;

use axum::Json;
use durward_base::{Duration, KeyId, RealmId, Timestamp, base64url};
use durward_model::resource::Realm;
use durward_model::{ApiKey, CredentialLimits, Resource, ResourceKind, Write};
use durward_oauth::RegisteredClient;
use durward_oauth::api_key::{self, Wish};
use durward_seal::HandleKeys;
use http::StatusCode;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::Refused;
use crate::body::Body;
use crate::call::Call;

/// An API key as far as anybody may know it.
#[derive(Serialize)]
pub struct Shown {
    id: KeyId,
    client: String,
    service: String,
    note: String,
    scopes: Vec<String>,
    #[serde(flatten)]
    limits: CredentialLimits,
    /// Whether another system made it.
    taken_over: bool,
    created: Timestamp,
    expires: Option<Timestamp>,
    /// When it was last used, to the minute or so.
    used: Option<Timestamp>,
    /// Its text: given once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// A key to make, or to take over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct New {
    /// Whose.
    client: String,
    /// The service it is for.
    service: String,
    /// What it is for, in words.
    #[serde(default)]
    note: String,
    /// Scopes of the service; all that the client may have when empty.
    #[serde(default)]
    scopes: Vec<String>,
    /// The routes it is good on; all when empty.
    #[serde(default)]
    routes: Vec<String>,
    /// The networks it may come from; all when empty.
    #[serde(default)]
    networks: Vec<IpNet>,
    /// How many requests a minute it is good for, at each node.
    #[serde(default)]
    requests_per_minute: Option<u32>,
    /// How long it is good, in seconds; until it is revoked when absent.
    #[serde(default)]
    seconds: Option<u64>,
    /// SHA-256, in hexadecimal, of a key that another system made.
    #[serde(default)]
    sha256: Option<String>,
}

/// Which keys to list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Those of one client.
    #[serde(default)]
    client: Option<String>,
    /// Those after this one.
    #[serde(default)]
    after: Option<KeyId>,
}

impl From<ApiKey> for Shown {
    fn from(key: ApiKey) -> Self {
        let ApiKey { id, client_name: client, audience: service, note, scopes, limits, taken_over, created, expires, used, .. } = key;
        Self { id, client, service, note, scopes, limits, taken_over: taken_over.is_some(), created, expires, used, key: None }
    }
}

/// The realm's keys that are good, without what is secret about them; at most 1,000 at once.
pub async fn get(call: Call<Which>) -> Result<Json<Vec<Shown>>, Refused> {
    call.admin.realm_id(&call.realm).await?;
    let Which { client, after } = &call.query;
    let mut keys = call.admin.store().api_keys(&call.realm, *after, call.now()).await?;
    keys.retain(|key| client.as_ref().is_none_or(|client| *client == key.client_name));
    Ok(Json(keys.into_iter().map(Shown::from).collect()))
}

/// Makes a key and gives it once; one that is taken over is known to whoever has it.
pub async fn post(call: Call, Body(new): Body<New>) -> Result<Json<Shown>, Refused> {
    let (realm_id, realm) = realm(&call).await?;
    let (id, client) = call.admin.client(&call.realm, &new.client).await?;
    call.admin.may_touch_client(&client, &call.realm, call.by.role)?;
    let service = match call.admin.store().resource(&call.realm, ResourceKind::Service, &new.service).await?.map(|found| found.resource) {
        Some(Resource::Service(service)) => service,
        _ => return Err(Refused::no("service", &new.service)),
    };
    let hash = match &new.sha256 {
        Some(text) => Some(base64url::encode(&call.admin.hasher.hash_foreign_key(realm_id, &digest(text)?))),
        None => None,
    };
    let now = call.now();
    let wish = Wish {
        client: RegisteredClient { id, metadata: &client },
        service: &service,
        note: &new.note,
        scopes: &new.scopes,
        limits: &CredentialLimits { routes: new.routes, networks: new.networks, requests_per_minute: new.requests_per_minute },
        expires: new.seconds.map(|seconds| now + Duration::from_secs(seconds)),
        taken_over: hash.as_deref(),
    };
    let key = api_key::make(&realm, wish, KeyId::new(now, &call.admin.settings.rng), now);
    let key = key.map_err(|unmade| Refused::Impossible(unmade.to_string()))?;
    if let Some(hash) = &hash
        && call.admin.store().api_key_taken_over(&call.realm, hash).await?.is_some()
    {
        return Err(Refused::Impossible("this key was taken over already".to_owned()));
    }
    put(&call, realm_id, key, Vec::new()).await
}

/// Commits a key, with what else is to be written, and shows it.
async fn put(call: &Call, realm: RealmId, key: ApiKey, mut writes: Vec<Write>) -> Result<Json<Shown>, Refused> {
    writes.push(Write::PutApiKey(Box::new(key.clone())));
    call.recorder.edit(|event| event.issued = Some(key.id.to_string()));
    call.commit(&writes, format!("api_key/{}", key.id), StatusCode::OK).await?;
    let handles = HandleKeys::from_root(&call.admin.settings.root);
    let text = key.taken_over.is_none().then(|| api_key::text(key.id, &handles, realm).expose().to_owned());
    Ok(Json(Shown { key: text, ..Shown::from(key) }))
}

async fn realm(call: &Call) -> Result<(RealmId, Realm), Refused> {
    let id = call.admin.realm_id(&call.realm).await?;
    match call.admin.store().resource(&call.realm, ResourceKind::Realm, &call.realm).await?.map(|found| found.resource) {
        Some(Resource::Realm(realm)) => Ok((id, realm)),
        _ => Err(Refused::no("realm", &call.realm)),
    }
}

/// The key of this id that is good.
async fn find(call: &Call, id: &str) -> Result<ApiKey, Refused> {
    let none = || Refused::no("API key", id);
    let key: KeyId = id.parse().map_err(|_| none())?;
    call.admin.store().api_key(&call.realm, key).await?.filter(|key| key.is_good(call.now())).ok_or_else(none)
}

/// Whether whoever calls may manage the keys of this one's client; those of a client that is gone, anybody who manages may end.
async fn may_touch(call: &Call, key: &ApiKey) -> Result<(), Refused> {
    match call.admin.client(&call.realm, &key.client_name).await {
        Ok((_, client)) => call.admin.may_touch_client(&client, &call.realm, call.by.role),
        Err(Refused::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

fn digest(text: &str) -> Result<[u8; 32], Refused> {
    let invalid = || Refused::Invalid("sha256: expected 64 hexadecimal digits".to_owned());
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(invalid());
    }
    let mut digest = [0; 32];
    for (place, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| invalid())?;
        *place = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
    }
    Ok(digest)
}
