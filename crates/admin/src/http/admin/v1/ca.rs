//! `/admin/v1/ca`

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::call::Call;

/// The roots to trust, in PEM.
pub async fn get(call: Call) -> Response {
    ([(CONTENT_TYPE, "application/pem-certificate-chain")], call.admin.settings.trust_pem.clone()).into_response()
}
