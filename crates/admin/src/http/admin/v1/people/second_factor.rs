//! `/admin/v1/people/{name}/second-factor`

use axum::extract::Path;
use durward_model::Write;
use http::StatusCode;

use crate::Refused;
use crate::call::Call;
use crate::plan::consequences::end_logins;

/// Removes the person's second factor and recovery codes, for whoever has lost them all. Their logins end: from here on a password is enough.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<StatusCode, Refused> {
    let person = call.admin.person(&call.realm, &name).await?;
    call.admin.may_touch(&person, call.by.role)?;
    if call.admin.store().totp(&call.realm, person.id).await?.is_none() {
        return Err(Refused::NotFound(format!("{} has no second factor", person.username)));
    }
    let mut writes = vec![Write::RemoveTotp { realm: call.realm.clone(), person: person.id }];
    writes.extend(end_logins(&person, call.now(), "second_factor_reset"));
    call.commit(&writes, format!("person/{}", person.username), StatusCode::NO_CONTENT).await?;
    Ok(StatusCode::NO_CONTENT)
}
