//! `/admin/v1/backup`

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::Refused;
use crate::call::Call;

/// The store as of one moment, encrypted under its root key.
pub async fn post(call: Call) -> Result<Response, Refused> {
    let chunks = call.admin.backup().await?;
    call.commit(&[], "store".to_owned(), StatusCode::OK).await?;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], Body::from_stream(chunks)).into_response())
}
