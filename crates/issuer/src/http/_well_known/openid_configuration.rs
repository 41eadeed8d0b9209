//! `/.well-known/openid-configuration`: OpenID Connect Discovery 1.0 section 4.

use axum::response::Response;
use durward_oauth::Registry as _;
use durward_oauth::metadata::Metadata;

use crate::call::Call;
use crate::json;

/// How long verifiers may keep the document, in seconds.
const MAX_AGE: u32 = 900;

/// `GET /realms/{realm}/.well-known/openid-configuration`
pub async fn get(call: Call) -> Response {
    document(&call)
}

/// What the realm can do.
pub(crate) fn document(call: &Call) -> Response {
    json::public(&Metadata::new(call.realm.issuer()), MAX_AGE)
}
