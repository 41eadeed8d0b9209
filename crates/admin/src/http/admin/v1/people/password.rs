//! `/admin/v1/people/{name}/password`

use axum::extract::Path;
use durward_base::Secret;
use durward_model::Write;
use http::StatusCode;
use serde::Deserialize;

use crate::Refused;
use crate::body::Body;
use crate::call::Call;
use crate::plan::consequences::end_logins;

/// A password to set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Password {
    password: Secret,
}

/// Sets the person's password. Their logins end: whoever knew the old one is out.
pub async fn put(call: Call, Path(name): Path<String>, Body(Password { password }): Body<Password>) -> Result<StatusCode, Refused> {
    let person = call.admin.person(&call.realm, &name).await?;
    call.admin.may_touch(&person, call.by.role)?;
    let (admin, realm, username) = (call.admin.clone(), call.realm.clone(), person.username.clone());
    let hashed = tokio::task::spawn_blocking(move || admin.hash_chosen(&realm, &username, password)).await;
    let hash = hashed.map_err(|error| Refused::Failed(error.to_string()))?.map_err(|error| Refused::Invalid(error.to_string()))?;
    let mut writes = vec![Write::SetPassword { realm: call.realm.clone(), person: person.id, hash: Some(hash) }];
    writes.extend(end_logins(&person, call.now(), "password_changed"));
    call.commit(&writes, format!("person/{}", person.username), StatusCode::NO_CONTENT).await?;
    Ok(StatusCode::NO_CONTENT)
}
