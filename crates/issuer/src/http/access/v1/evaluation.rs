//! `/access/v1/evaluation`: OpenID AuthZEN Authorization API 1.0 section 6.

use axum::response::Response;
use durward_enforce::access_evaluation::AccessRequest;

use crate::access_evaluation;
use crate::call::Call;

/// `POST /realms/{realm}/access/v1/evaluation`
pub async fn post(call: Call) -> Response {
    access_evaluation::answer(&call, AccessRequest::one)
}
