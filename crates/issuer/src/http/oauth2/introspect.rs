//! `/oauth2/introspect`: RFC 7662 section 2.

use axum::response::Response;
use durward_oauth::introspect::introspect;
use durward_oauth::presented_token::PresentedToken;
use durward_oauth::{OAuthError, Parameters};
use http::StatusCode;

use crate::call::Call;
use crate::client;
use crate::json::{self, BROKEN, CONTENDED, UNAVAILABLE};
use crate::lineage::FamilyRows;

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
    let spend: Vec<_> = client.spend().into_iter().collect();
    if !client::commit(call, &spend, StatusCode::OK).await? {
        return Err(CONTENDED);
    }
    let answer = introspect(&call.realm, &client, &token, rows.as_ref().map(FamilyRows::lineage), call.now);
    serde_json::to_vec(&answer).map(json::private).map_err(|_| BROKEN)
}
