//! `/oauth2/revoke`: RFC 7009 section 2. Success is said only once it is durable.

use axum::response::Response;
use durward_oauth::presented_token::PresentedToken;
use durward_oauth::{OAuthError, Parameters, revoke};
use http::StatusCode;

use crate::call::Call;
use crate::client;
use crate::cors;
use crate::json::{self, CONTENDED, UNAVAILABLE};
use crate::lineage::FamilyRows;

/// `POST /realms/{realm}/oauth2/revoke`
pub async fn post(call: Call) -> Response {
    let parameters = match call.form() {
        Ok(parameters) => parameters,
        Err(error) => return cors::share(&call, json::unreadable(&call, error)),
    };
    let response = answer(&call, &parameters).await.unwrap_or_else(|error| json::refuse(&call, error));
    cors::share(&call, response)
}

/// `OPTIONS /realms/{realm}/oauth2/revoke`
pub async fn options(call: Call) -> Response {
    cors::preflight(&call, "POST")
}

async fn answer(call: &Call, parameters: &Parameters) -> Result<Response, OAuthError> {
    let client = client::authenticate(call, parameters).await?;
    let token = PresentedToken::read(parameters, &call.realm, &call.issuer.handles, call.now)?;
    let rows = match &token {
        PresentedToken::Refresh(token) => {
            FamilyRows::load(call.issuer.store(), call.realm.name(), token.family()).await.map_err(|_| UNAVAILABLE)?
        }
        PresentedToken::Access(_) | PresentedToken::Unknown => None,
    };
    let revoke::Revoking { answer, writes, event } =
        revoke::decide(&call.realm, &client, &token, rows.as_ref().map(FamilyRows::lineage), call.now);
    call.recorder.edit(|record| event.fill(record));
    let status = answer.map_or_else(|error| StatusCode::from_u16(error.status()).unwrap_or_default(), |()| StatusCode::OK);
    if !client::commit(call, &writes, status).await? {
        return Err(CONTENDED);
    }
    Ok(match answer {
        Ok(()) => json::private(Vec::new()),
        Err(error) => json::answer(call, error),
    })
}
