//! `/admin/v1/roles/{name}`

use axum::Json;
use axum::extract::Path;
use durward_model::resource::Role;
use durward_model::{Resource, ResourceKind, Stored};

use crate::body::Body;
use crate::call::Call;
use crate::{Plan, Refused, declared};

/// The role of this name.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Stored>, Refused> {
    declared::find(&call, ResourceKind::Role, &name).await
}

/// Makes the role be as given.
pub async fn put(call: Call, Path(name): Path<String>, Body(role): Body<Role>) -> Result<Json<Plan>, Refused> {
    declared::put(&call, &name, Resource::Role(role)).await
}

/// Deletes the role.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<Json<Plan>, Refused> {
    declared::delete(&call, ResourceKind::Role, &name).await
}
