//! `/access/v1/evaluations`: OpenID AuthZEN Authorization API 1.0 section 7.

use axum::response::Response;
use durward_enforce::access_evaluation::AccessRequest;

use crate::access_evaluation;
use crate::call::Call;

/// `POST /realms/{realm}/access/v1/evaluations`
pub async fn post(call: Call) -> Response {
    access_evaluation::answer(&call, AccessRequest::several)
}
