//! `/.well-known/oauth-authorization-server/realms/{realm}`: RFC 8414 section 3.1 puts the well-known part before the issuer's path.

use axum::response::Response;

use crate::call::Call;
use crate::http::_well_known::openid_configuration::document;

/// `GET /.well-known/oauth-authorization-server/realms/{realm}`
pub async fn get(call: Call) -> Response {
    document(&call)
}
