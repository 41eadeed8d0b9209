//! `/admin/v1/people/{name}`

use axum::Json;
use axum::extract::Path;
use durward_model::resource::PersonResource;
use durward_model::{Person, Resource, ResourceKind};

use crate::body::Body;
use crate::call::Call;
use crate::{Plan, Refused, declared};

/// The person of this name.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Person>, Refused> {
    let person = call.admin.person(&call.realm, &name).await?;
    call.about(format!("person/{}", person.username));
    Ok(Json(person))
}

/// Makes the person be as given. Their password is set elsewhere.
pub async fn put(call: Call, Path(name): Path<String>, Body(person): Body<PersonResource>) -> Result<Json<Plan>, Refused> {
    declared::put(&call, &name, Resource::Person(person)).await
}

/// Deletes the person, their logins and their tokens.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<Json<Plan>, Refused> {
    declared::delete(&call, ResourceKind::Person, &name).await
}
