//! `/oauth2/device_authorization`: RFC 8628 section 3.1.

use axum::response::Response;
use durward_base::DeviceId;
use durward_oauth::device::{self, Origin, UserCode};
use durward_oauth::{OAuthError, Parameters};
use http::StatusCode;

use crate::authorization::ATTEMPTS;
use crate::call::Call;
use crate::client;
use crate::json::{self, BROKEN, CLOCK_JUMPED, CONTENDED};

/// `POST /realms/{realm}/oauth2/device_authorization`
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
    call.issuer.devices.request(call)?;
    for _ in 0..ATTEMPTS {
        let user_code = UserCode::new(call.issuer.rng());
        let origin = Origin {
            id: DeviceId::new(call.now, call.issuer.rng()),
            user_code: user_code.clone(),
            address: call.address().map(|address| address.to_string()),
        };
        let requested = device::request(&call.realm, parameters, &client, origin, call.now)?;
        call.recorder.edit(|record| requested.event.clone().fill(record));
        // A conflict is a code that somebody else was just given.
        if client::commit(call, &requested.writes, StatusCode::OK).await? {
            let body = requested.body(&call.realm, &call.issuer.handles, &user_code).map_err(|_| BROKEN)?;
            return Ok(json::private(body));
        }
    }
    Err(CONTENDED)
}
