//! `/.well-known/authzen-configuration/realms/{realm}`: OpenID AuthZEN Authorization API 1.0 section 9.2.

use axum::response::Response;
use durward_enforce::access_evaluation::DecisionPoint;
use durward_oauth::Registry as _;

use crate::call::Call;
use crate::json;

/// How long the document may be kept, in seconds.
const MAX_AGE: u32 = 900;

/// `GET /.well-known/authzen-configuration/realms/{realm}`
pub async fn get(call: Call) -> Response {
    json::public(&DecisionPoint::at(call.realm.issuer()), MAX_AGE)
}
