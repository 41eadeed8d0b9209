//! `/oauth2/register/{client_id}`: RFC 7592 section 2.

use axum::response::{IntoResponse as _, Response};
use durward_base::{Secret, base64url, equal};
use durward_model::{Registration, Resource, ResourceKind, Stored, Write};
use durward_oauth::registration;
use durward_oauth::{OAuthError, RegisteredClient, Registry as _};
use durward_store::CommitError;
use http::StatusCode;

use crate::call::Call;
use crate::json::{self, CLOCK_JUMPED, CONTENDED, UNAVAILABLE};
use crate::registrations::{Refusal, bearer, new_secret, requested};

/// `GET /realms/{realm}/oauth2/register/{client_id}`
pub async fn get(call: Call) -> Response {
    match managed(&call).await {
        Ok((client, known)) => {
            let body = registration::answer(client.metadata, &known, None, &call.realm, &call.issuer.handles);
            json::private(body.to_string().into_bytes())
        }
        Err(error) => json::refuse(&call, error),
    }
}

/// `PUT /realms/{realm}/oauth2/register/{client_id}`
pub async fn put(call: Call) -> Response {
    match change(&call).await {
        Ok(response) => response,
        Err(refusal) => refusal.answer(&call),
    }
}

/// `DELETE /realms/{realm}/oauth2/register/{client_id}`
pub async fn delete(call: Call) -> Response {
    match remove(&call).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => json::refuse(&call, error),
    }
}

/// The client that asks, which is the one in the address.
async fn managed(call: &Call) -> Result<(RegisteredClient<'_>, Registration), OAuthError> {
    if call.clock_jumped() {
        return Err(CLOCK_JUMPED);
    }
    let holder = registration::holder(&call.realm, bearer(call), &call.issuer.handles)?;
    let client_id = call.path.rsplit('/').next().unwrap_or_default();
    let known = call.issuer.store().registration(call.realm.name(), holder.0).await.map_err(|_| UNAVAILABLE)?;
    let client = registration::managed(&call.realm, client_id, holder, known.as_ref())?;
    let known = known.ok_or(UNAVAILABLE)?;
    call.recorder.edit(|event| registration::event(client).fill(event));
    Ok((client, known))
}

async fn change(call: &Call) -> Result<Response, Refusal> {
    let (before, known) = managed(call).await?;
    let body = match call.json() {
        Ok(body) => body,
        Err(error) => return Ok(json::unreadable(call, error)),
    };
    registration::must_be_about(body, &before.metadata.name, |secret| is_secret(call, before, secret))?;
    let client = requested(call, body, &before.metadata.name).await?;
    let stored = stored(call, before).await?;
    let changed = Stored { version: stored.version + 1, resource: Resource::Client(client.clone()), ..stored };
    let mut writes = registration::change(&call.realm, before, changed, known.generation, call.now);
    let needs_secret = registration::has_secret(&client) && !registration::has_secret(before.metadata);
    let (secret, write) = needs_secret.then(|| new_secret(call, before.id)).unzip();
    writes.extend(write);
    commit(call, &writes, StatusCode::OK).await?;
    let known = Registration { generation: known.generation + 1, ..known };
    let body = registration::answer(&client, &known, secret.as_ref(), &call.realm, &call.issuer.handles);
    Ok(json::private(body.to_string().into_bytes()))
}

async fn remove(call: &Call) -> Result<(), OAuthError> {
    let (client, _) = managed(call).await?;
    let stored = stored(call, client).await?;
    let writes = registration::remove(&call.realm, client, stored.version, call.now);
    commit(call, &writes, StatusCode::NO_CONTENT).await
}

/// The client as the store has it: what is changed is of this version.
async fn stored(call: &Call, client: RegisteredClient<'_>) -> Result<Stored, OAuthError> {
    let found = call.issuer.store().resource(call.realm.name(), ResourceKind::Client, &client.metadata.name).await;
    found.map_err(|_| UNAVAILABLE)?.ok_or(CONTENDED)
}

async fn commit(call: &Call, writes: &[Write], status: StatusCode) -> Result<(), OAuthError> {
    call.commit(writes, status).await.map_err(|error| match error {
        CommitError::Conflict { .. } => CONTENDED,
        CommitError::Unavailable(_) => UNAVAILABLE,
    })
}

/// Whether a secret is one that the client may use now.
fn is_secret(call: &Call, client: RegisteredClient<'_>, secret: &Secret) -> bool {
    let hash = base64url::encode(&call.issuer.hasher.hash(call.realm.id(), client.id, secret));
    let live = call.realm.client_secrets(client.id).iter().filter(|known| known.expires.is_none_or(|end| call.now < end));
    live.into_iter().any(|known| equal(known.hash.as_bytes(), hash.as_bytes()))
}
