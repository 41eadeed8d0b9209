//! `/oauth2/register`: RFC 7591 section 3.

pub mod one;

use axum::response::Response;
use durward_base::{ClientId, ResourceId, base64url};
use durward_model::{Resource, Stored, Write};
use durward_oauth::RegisteredClient;
use durward_oauth::registration::{self, USED_UP};
use durward_store::CommitError;
use http::StatusCode;

use crate::call::Call;
use crate::json::{self, CLOCK_JUMPED, CONTENDED, UNAVAILABLE};
use crate::registrations::{Refusal, bearer, new_secret, requested};

/// `POST /realms/{realm}/oauth2/register`
pub async fn post(call: Call) -> Response {
    match register(&call).await {
        Ok(response) => response,
        Err(refusal) => refusal.answer(&call),
    }
}

async fn register(call: &Call) -> Result<Response, Refusal> {
    if call.clock_jumped() {
        return Err(CLOCK_JUMPED.into());
    }
    let initial = registration::admit(&call.realm, bearer(call), &call.issuer.handles)?;
    if initial.is_none() {
        call.issuer.registrations.request(call)?;
    }
    let body = match call.json() {
        Ok(body) => body,
        Err(error) => return Ok(json::unreadable(call, error)),
    };
    let name = format!("dcr-{}", base64url::encode(&call.issuer.rng().bytes::<16>()));
    let client = requested(call, body, &name).await?;
    let id = ResourceId::new(call.now, call.issuer.rng());
    let client_id = ClientId::from_bytes(id.to_bytes());
    let resource = Resource::Client(client.clone());
    let stored = Stored { id, realm: call.realm.name().to_owned(), version: 1, resource };
    let (mut writes, registered) = registration::register(&call.realm, stored, initial, call.now);
    let secret = registration::has_secret(&client).then(|| new_secret(call, client_id));
    let (secret, write) = secret.unzip();
    writes.extend(write);
    call.recorder.edit(|event| registration::event(RegisteredClient { id: client_id, metadata: &client }).fill(event));
    call.commit(&writes, StatusCode::CREATED).await.map_err(|error| match error {
        CommitError::Conflict { write_index } => match writes.get(write_index) {
            Some(Write::UseInitialAccess { .. }) => USED_UP,
            _ => CONTENDED,
        },
        CommitError::Unavailable(_) => UNAVAILABLE,
    })?;
    let body = registration::answer(&client, &registered, secret.as_ref(), &call.realm, &call.issuer.handles);
    let mut response = json::private(body.to_string().into_bytes());
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}
