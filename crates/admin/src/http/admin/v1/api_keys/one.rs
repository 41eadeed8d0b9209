//! `/admin/v1/api-keys/{id}`

use axum::extract::Path;
use durward_model::Write;
use http::StatusCode;

use super::{find, may_touch};
use crate::Refused;
use crate::call::Call;

/// Ends a key now, everywhere.
pub async fn delete(call: Call, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    let key = find(&call, &id).await?;
    may_touch(&call, &key).await?;
    let end = Write::EndApiKey { realm: call.realm.clone(), key: key.id, at: call.now() };
    call.commit(&[end], format!("api_key/{}", key.id), StatusCode::NO_CONTENT).await?;
    Ok(StatusCode::NO_CONTENT)
}
