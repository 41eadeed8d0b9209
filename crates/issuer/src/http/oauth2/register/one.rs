//! `/oauth2/register/{client_id}`: RFC 7592 section 2.

use axum::response::{IntoResponse as _, Response};
use durward_base::{Secret, base64url, equal};
use durward_model::{ClientSecret, Registration, Resource, ResourceKind, Stored, Write};
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
    let (client, known) = managed(call).await?;
    call.issuer.registrations.change(client.id, call.now)?;
    let body = match call.json() {
        Ok(body) => body,
        Err(error) => return Ok(json::unreadable(call, error)),
    };
    let secrets = secrets(call, client).await?;
    registration::must_be_about(body, &known.name, |secret| is_live(call, client, &secrets, secret))?;
    let after = requested(call, body, &known.name).await?;
    let before = stored(call, client).await?;
    let mut writes = registration::change((&before, &after), &known, &secrets, call.now)?;
    let had_secret = matches!(&before.resource, Resource::Client(before) if registration::has_secret(before));
    let (secret, write) = (registration::has_secret(&after) && !had_secret).then(|| new_secret(call, client.id)).unzip();
    writes.extend(write);
    commit(call, &writes, StatusCode::OK).await?;
    let known = Registration { generation: known.generation + 1, ..known };
    let body = registration::answer(&after, &known, secret.as_ref(), &call.realm, &call.issuer.handles);
    Ok(json::private(body.to_string().into_bytes()))
}

async fn remove(call: &Call) -> Result<(), OAuthError> {
    let (client, known) = managed(call).await?;
    let (stored, secrets) = (stored(call, client).await?, secrets(call, client).await?);
    let writes = registration::remove(&known, stored.version, &secrets, call.now);
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

/// All secrets of the client, as the store has them: the feed may not have told of the latest yet.
async fn secrets(call: &Call, client: RegisteredClient<'_>) -> Result<Vec<ClientSecret>, OAuthError> {
    call.issuer.store().client_secrets(call.realm.name(), client.id).await.map_err(|_| UNAVAILABLE)
}

/// Whether a secret is one that the client may use now.
fn is_live(call: &Call, client: RegisteredClient<'_>, secrets: &[ClientSecret], secret: &Secret) -> bool {
    let hash = base64url::encode(&call.issuer.hasher.hash(call.realm.id(), client.id, secret));
    let mut live = secrets.iter().filter(|known| known.expires.is_none_or(|end| call.now < end));
    live.any(|known| equal(known.hash.as_bytes(), hash.as_bytes()))
}
