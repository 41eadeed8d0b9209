//! `/oauth2/par`: RFC 9126 section 2.

use axum::response::Response;
use durward_oauth::{OAuthError, Parameters, par, sender_constraint};
use http::StatusCode;

use crate::call::Call;
use crate::client;
use crate::client_keys;
use crate::cors;
use crate::json::{self, BROKEN, CLOCK_JUMPED, CONTENDED};
use crate::possession;

/// `POST /realms/{realm}/oauth2/par`
pub async fn post(call: Call) -> Response {
    let parameters = match call.form() {
        Ok(parameters) => parameters,
        Err(error) => return cors::share(&call, json::unreadable(&call, error)),
    };
    let response = answer(&call, parameters).await.unwrap_or_else(|error| json::refuse(&call, error));
    cors::share(&call, possession::with_nonce(&call, response))
}

/// `OPTIONS /realms/{realm}/oauth2/par`
pub async fn options(call: Call) -> Response {
    cors::preflight(&call, "POST")
}

async fn answer(call: &Call, parameters: Parameters) -> Result<Response, OAuthError> {
    if call.clock_jumped() {
        return Err(CLOCK_JUMPED);
    }
    let client = client::authenticate(call, &parameters).await?;
    call.issuer.pushes.count(client.registered().id, call.now)?;
    client_keys::read_for_request(call, client.registered().metadata, &parameters).await;
    let proof = possession::proof(call).await?;
    let proven = proof.as_ref().map(|(proof, _)| proof);
    let request = par::push(parameters, &call.realm, (&client, proven), call.issuer.rng().bytes(), call.now)?;
    let pushed = par::seal(&request, &call.issuer.states, &call.realm, call.issuer.rng(), call.now)?;
    let body = serde_json::to_vec(&pushed).map_err(|_| BROKEN)?;
    let admitted = proof.as_ref().and_then(|(_, admitted)| sender_constraint::spend(admitted, call.realm.name()));
    let writes: Vec<_> = client.spend().into_iter().chain(admitted).collect();
    if !client::commit(call, &writes, StatusCode::CREATED).await? {
        return Err(CONTENDED);
    }
    let mut response = json::private(body);
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}
