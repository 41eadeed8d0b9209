//! `/admin/v1/people/{name}/disable`

use axum::Json;
use axum::extract::Path;
use durward_model::Resource;
use durward_model::resource::PersonResource;

use crate::call::Call;
use crate::plan::draft::declared;
use crate::{Apply, Plan, Refused};

/// Disables the person: their logins end, their tokens are dead, and they cannot log in again.
pub async fn post(call: Call, Path(name): Path<String>) -> Result<Json<Plan>, Refused> {
    let person = call.admin.person(&call.realm, &name).await?;
    let person = PersonResource { disabled: true, ..declared(&person) };
    crate::declared::apply(&call, Apply { resources: vec![Resource::Person(person)], ..Apply::default() }).await
}
