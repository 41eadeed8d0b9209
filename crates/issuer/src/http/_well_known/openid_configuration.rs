//! `/.well-known/openid-configuration`: OpenID Connect Discovery 1.0 section 4.

use axum::response::Response;
use durward_enforce::realm_issuer;
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
    let mutual_tls = call.issuer.settings.mutual_tls.as_ref();
    let mutual_tls = mutual_tls.map(|mutual_tls| realm_issuer(&mutual_tls.url, call.realm.name()));
    let legacy = call.realm.clients().filter(|client| !client.disabled).flat_map(|client| client.legacy_grants.iter().copied());
    let pushing = call.realm.realm().require_pushed_authorization_requests;
    json::public(
        &Metadata::new(call.realm.issuer(), mutual_tls.as_deref())
            .with_legacy_grants(legacy)
            .with_registration(call.realm.realm().registration)
            .with_client_documents(call.realm.realm().client_id_metadata_documents)
            .with_required_pushing(pushing)
            .with_details_types(call.realm.services()),
        MAX_AGE,
    )
}
