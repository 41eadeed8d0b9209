//! `/admin/v1/clients/{name}/secrets/{id}`

use axum::extract::Path;
use durward_base::KeyId;
use durward_model::Write;
use http::StatusCode;

use super::{client, may_change};
use crate::Refused;
use crate::call::Call;

/// Ends a secret now.
pub async fn delete(call: Call, Path((name, id)): Path<(String, String)>) -> Result<StatusCode, Refused> {
    let id: KeyId = id.parse().map_err(|_| Refused::NotFound)?;
    let (client_id, client) = client(&call, &name).await?;
    may_change(&call, &client)?;
    let secrets = call.admin.store().client_secrets(&call.realm, client_id).await?;
    let secret = secrets.into_iter().find(|secret| secret.id == id).ok_or(Refused::NotFound)?;
    if secret.expires.is_none_or(|expires| expires > call.now()) {
        let end = Write::ExpireClientSecret { realm: call.realm.clone(), secret: id, at: call.now() };
        call.commit(&[end], format!("client/{name}")).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
