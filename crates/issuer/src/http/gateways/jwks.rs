//! `/gateways/{name}/jwks`: the public keys under which a gateway's identity tokens verify.

use axum::extract::{Path, State};
use axum::response::Response;
use durward_enforce::gateway_issuer;
use durward_model::KeyUse;
use durward_net::Problem;
use durward_oauth::jwks::{self, Jwks};
use http::StatusCode;

use crate::{Issuer, json};

/// `GET /gateways/{name}/jwks`
pub async fn get(State(issuer): State<Issuer>, Path(name): Path<String>) -> Result<Response, Problem> {
    let keys = registered(&issuer, &gateway_issuer(&issuer.inner().settings.public_url, &name))?;
    Ok(json::public(&keys, crate::http::oauth2::jwks::MAX_AGE))
}

/// The keys of a gateway that has registered any.
pub(super) fn registered(issuer: &Issuer, gateway: &str) -> Result<Jwks, Problem> {
    let view = issuer.inner().settings.views.load();
    let keys = view.keys();
    if keys.published(gateway).is_empty() {
        return Err(Problem::new(StatusCode::NOT_FOUND, "gateway_unknown", "No gateway of this name has registered a key."));
    }
    Ok(jwks::published(keys.iter().map(|key| key.key()), gateway, KeyUse::Identity))
}
