//! `/admin/v1/people/{name}/enable`

use axum::Json;
use axum::extract::Path;
use durward_model::Resource;
use durward_model::resource::PersonResource;

use crate::call::Call;
use crate::plan::draft::declared;
use crate::{Apply, Plan, Refused};

/// Lets a disabled person log in again.
pub async fn post(call: Call, Path(name): Path<String>) -> Result<Json<Plan>, Refused> {
    let person = call.admin.person(&call.realm, &name).await?;
    let person = PersonResource { disabled: false, ..declared(&person) };
    crate::declared::apply(&call, Apply { resources: vec![Resource::Person(person)], ..Apply::default() }).await
}
