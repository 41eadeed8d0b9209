//! `/admin/v1/registration-tokens/{id}`

use axum::extract::Path;
use durward_base::KeyId;
use durward_model::Write;
use http::StatusCode;

use crate::Refused;
use crate::call::Call;

/// Ends a token now. Clients that were registered with it stay.
pub async fn delete(call: Call, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    let none = || Refused::no("registration token", &id);
    let token: KeyId = id.parse().map_err(|_| none())?;
    let known = call.admin.store().initial_accesses(&call.realm).await?;
    known.iter().find(|known| known.id == token).ok_or_else(none)?;
    let end = Write::EndInitialAccess { realm: call.realm.clone(), id: token };
    call.commit(&[end], format!("registration_token/{token}"), StatusCode::NO_CONTENT).await?;
    Ok(StatusCode::NO_CONTENT)
}
