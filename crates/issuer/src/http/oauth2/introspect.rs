//! `/oauth2/introspect`: RFC 7662 section 2; signed where that is asked for, RFC 9701 section 4.

use axum::response::Response;
use durward_model::CredentialKind;
use durward_model::resolve::{Resolution, ResolveRequest};
use durward_oauth::introspect::{self, introspect};
use durward_oauth::presented_token::PresentedToken;
use durward_oauth::{OAuthError, Parameters, personal_token, profile};
use http::StatusCode;

use crate::call::Call;
use crate::client;
use crate::json::{self, BROKEN, CONTENDED, UNAVAILABLE};
use crate::lineage::FamilyRows;
use crate::resolver;

/// `POST /realms/{realm}/oauth2/introspect`
pub async fn post(call: Call) -> Response {
    let parameters = match call.form() {
        Ok(parameters) => parameters,
        Err(error) => return json::unreadable(&call, error),
    };
    answer(&call, &parameters).await.unwrap_or_else(|error| json::refuse(&call, error))
}

async fn answer(call: &Call, parameters: &Parameters) -> Result<Response, OAuthError> {
    let client = client::authenticate(call, parameters).await?;
    client::confidential(&client)?;
    let token = PresentedToken::read(parameters, &call.realm, &call.issuer.handles, call.now)?;
    let rows = match &token {
        PresentedToken::Refresh(token) => {
            FamilyRows::load(call.issuer.store(), call.realm.name(), token.family()).await.map_err(|_| UNAVAILABLE)?
        }
        PresentedToken::Access(_) | PresentedToken::Unknown => None,
    };
    let answer = match personal(call, parameters).await? {
        Some(resolution) => introspect::looked_up(&call.realm, &client, &resolution),
        None => introspect(&call.realm, &client, &token, rows.as_ref().map(FamilyRows::lineage), call.now),
    };
    let signed = call.accepts(introspect::SIGNED) || profile::requires_signed_introspection(client.registered().metadata);
    let response = if signed {
        json::token(introspect::SIGNED, introspect::signed(&answer, &call.realm, &client, &*call.keys()?, call.now)?)
    } else {
        json::private(serde_json::to_vec(&answer).map_err(|_| BROKEN)?)
    };
    let spend: Vec<_> = client.spend().into_iter().collect();
    if client::commit(call, &spend, StatusCode::OK).await? { Ok(response) } else { Err(CONTENDED) }
}

/// What a personal access token stands for, when it is one that is asked about.
async fn personal(call: &Call, parameters: &Parameters) -> Result<Option<Resolution>, OAuthError> {
    let Some(text) = parameters.get("token").filter(|text| personal_token::is_well_formed(text)) else { return Ok(None) };
    let (realm, kind) = (call.realm.name().to_owned(), CredentialKind::OpaqueToken);
    let request = ResolveRequest { realm, kind, credential: text.to_owned(), audience: String::new(), address: call.address() };
    resolver::resolve(&call.issuer, &request).await.map(Some).map_err(|_| UNAVAILABLE)
}
