//! `/admin/v1/sessions/{id}`

use axum::Json;
use axum::extract::Path;
use durward_base::SessionId;
use durward_model::{Session, Write};
use http::StatusCode;

use crate::Refused;
use crate::call::Call;
use crate::http::admin::v1::people::sessions::Login;

/// The login of this id, ended or not.
pub async fn get(call: Call, Path(id): Path<String>) -> Result<Json<Login>, Refused> {
    let session = find(&call, &id).await?;
    call.about(format!("session/{id}"));
    let families = call.admin.store().families_of_session(&call.realm, session.id).await?;
    Ok(Json(Login { session, families }))
}

/// Ends the login, with every client in it. Ending it twice is ending it.
pub async fn delete(call: Call, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    let session = find(&call, &id).await?;
    if let Some(person) = call.admin.store().person(&call.realm, session.person).await? {
        call.admin.may_touch(&person, call.by.role)?;
    }
    let end = Write::EndSession { realm: call.realm.clone(), session: session.id, at: call.now(), reason: "revoked" };
    call.commit(&[end], format!("session/{id}"), StatusCode::NO_CONTENT).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(call: &Call, id: &str) -> Result<Session, Refused> {
    let none = || Refused::no("login", id);
    call.admin.store().session(&call.realm, id.parse::<SessionId>().map_err(|_| none())?).await?.ok_or_else(none)
}
