//! `/admin/v1/clients/{name}/secrets/{id}`

use axum::extract::Path;
use durward_base::KeyId;
use durward_model::{Revocation, RevocationKind, Write};
use http::StatusCode;

use crate::Refused;
use crate::call::Call;

/// Ends a secret now.
pub async fn delete(call: Call, Path((name, id)): Path<(String, String)>) -> Result<StatusCode, Refused> {
    let none = || Refused::no("client secret", &id);
    let secret_id: KeyId = id.parse().map_err(|_| none())?;
    let (client_id, client) = call.admin.client(&call.realm, &name).await?;
    call.admin.may_touch_client(&client, &call.realm, call.by.role)?;
    let secrets = call.admin.store().client_secrets(&call.realm, client_id).await?;
    let secret = secrets.into_iter().find(|secret| secret.id == secret_id).ok_or_else(none)?;
    if secret.expires.is_none_or(|expires| expires > call.now()) {
        let end = Write::ExpireClientSecret { realm: call.realm.clone(), secret: secret_id, at: call.now() };
        // What it proved by Basic (RFC 7617) a while ago is known at the gateways by its id.
        let known = Write::Revoke(Revocation::new(&call.realm, RevocationKind::Token, secret_id.to_string(), call.now(), "revoked"));
        call.commit(&[end, known], format!("client/{name}"), StatusCode::NO_CONTENT).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
