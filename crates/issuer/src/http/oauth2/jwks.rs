//! `/oauth2/jwks`: RFC 7517 section 5.

use axum::response::Response;
use durward_model::KeyUse;
use durward_oauth::{Registry as _, jwks};

use crate::call::Call;
use crate::json;

/// How long verifiers may keep the keys, in seconds: well below the day that the next key is published before it signs.
pub(crate) const MAX_AGE: u32 = 900;

/// `GET /realms/{realm}/oauth2/jwks`
pub async fn get(call: Call) -> Response {
    let keys = call.realm.view().keys().iter().map(|key| key.key());
    let signing = jwks::published(keys, call.realm.issuer(), KeyUse::Token);
    match call.realm.request_object_keys().map(|keys| keys.published(call.realm.id(), call.now)) {
        Some(Ok(encryption)) => json::public(&signing.with(&encryption), MAX_AGE),
        _ => json::public(&signing, MAX_AGE),
    }
}
