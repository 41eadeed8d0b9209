//! `/admin/v1/groups/{name}`

use axum::Json;
use axum::extract::Path;
use durward_model::resource::Group;
use durward_model::{Resource, ResourceKind, Stored};

use crate::body::Body;
use crate::call::Call;
use crate::{Plan, Refused, declared};

/// The group of this name.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Stored>, Refused> {
    declared::find(&call, ResourceKind::Group, &name).await
}

/// Makes the group be as given.
pub async fn put(call: Call, Path(name): Path<String>, Body(group): Body<Group>) -> Result<Json<Plan>, Refused> {
    declared::put(&call, &name, Resource::Group(group)).await
}

/// Deletes the group.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<Json<Plan>, Refused> {
    declared::delete(&call, ResourceKind::Group, &name).await
}
