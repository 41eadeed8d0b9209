//! `/gateways/{name}/.well-known/openid-configuration`: as much of OpenID Connect Discovery as a verifier of identity tokens reads.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use durward_enforce::gateway_issuer;
use durward_net::Problem;
use serde::Serialize;

use super::super::jwks::registered;
use crate::{Issuer, json};

#[derive(Serialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
}

/// `GET /gateways/{name}/.well-known/openid-configuration`
pub async fn get(State(issuer): State<Issuer>, Path(name): Path<String>) -> Result<Response, Problem> {
    let gateway = gateway_issuer(&issuer.inner().settings.public_url, &name);
    registered(&issuer, &gateway)?;
    let document = Document {
        jwks_uri: format!("{gateway}/jwks"),
        issuer: gateway,
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["ES256"],
    };
    Ok(json::public(&document, crate::http::oauth2::jwks::MAX_AGE).into_response())
}
