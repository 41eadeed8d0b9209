//! `/oauth2/bc-authorize`: OpenID Connect CIBA section 7.

use axum::response::Response;
use durward_base::DeviceId;
use durward_oauth::ciba::{self, AuthenticationRequest, Origin};
use durward_oauth::{OAuthError, Parameters, Registry as _};
use http::StatusCode;

use crate::backchannel;
use crate::call::Call;
use crate::client;
use crate::client_keys;
use crate::json::{self, BROKEN, CLOCK_JUMPED, CONTENDED, UNAVAILABLE};

/// `POST /realms/{realm}/oauth2/bc-authorize`
pub async fn post(call: Call) -> Response {
    let parameters = match call.form() {
        Ok(parameters) => parameters,
        Err(error) => return json::unreadable(&call, error),
    };
    answer(&call, &parameters).await.unwrap_or_else(|error| json::refuse(&call, error))
}

async fn answer(call: &Call, parameters: &Parameters) -> Result<Response, OAuthError> {
    if call.clock_jumped() {
        return Err(CLOCK_JUMPED);
    }
    let client = client::authenticate(call, parameters).await?;
    client::confidential(&client)?;
    client_keys::read_for_request(call, client.registered().metadata, parameters).await;
    let asked = AuthenticationRequest::read(parameters, &call.realm, &client, call.now)?;
    let person = backchannel::person(call, client.registered().id, &asked.hint).await?;
    let waiting = call.issuer.store().waiting_for(call.realm.name(), person.id, call.now).await.map_err(|_| UNAVAILABLE)?;
    let id = DeviceId::new(call.now, call.issuer.rng());
    let origin = Origin {
        id,
        address: call.address().map(|address| address.to_string()),
        notification: asked.notification_token.as_ref().map(|token| backchannel::seal(call, id, token)),
    };
    let requested = ciba::request(&call.realm, &client, asked, (&person, &waiting), origin, call.now)?;
    call.recorder.edit(|record| requested.event.clone().fill(record));
    if !client::commit(call, &requested.writes, StatusCode::OK).await? {
        return Err(CONTENDED);
    }
    ciba::body(&requested.device, &call.issuer.handles, call.realm.id()).map(json::private).map_err(|_| BROKEN)
}
