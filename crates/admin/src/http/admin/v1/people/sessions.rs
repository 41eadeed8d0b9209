//! `/admin/v1/people/{name}/sessions`

use axum::Json;
use axum::extract::Path;
use durward_model::{Family, Session};
use http::StatusCode;
use serde::Serialize;

use crate::Refused;
use crate::call::Call;
use crate::plan::consequences::end_logins;

/// A login, with the clients in it.
#[derive(Serialize)]
pub struct Login {
    /// The login.
    #[serde(flatten)]
    pub session: Session,
    /// The clients in it, newest first, ended ones too.
    pub families: Vec<Family>,
}

/// The person's logins that are good now, newest first.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Vec<Login>>, Refused> {
    let person = call.admin.person(&call.realm, &name).await?;
    call.about(format!("person/{}", person.username));
    let mut logins = Vec::new();
    for session in call.admin.store().sessions_of(&call.realm, person.id, call.now()).await? {
        let families = call.admin.store().families_of_session(&call.realm, session.id).await?;
        logins.push(Login { session, families });
    }
    Ok(Json(logins))
}

/// Ends all of the person's logins.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<StatusCode, Refused> {
    let person = call.admin.person(&call.realm, &name).await?;
    call.admin.may_touch(&person, call.by.role)?;
    call.commit(&end_logins(&person, call.now(), "revoked"), format!("person/{}", person.username), StatusCode::NO_CONTENT).await?;
    Ok(StatusCode::NO_CONTENT)
}
