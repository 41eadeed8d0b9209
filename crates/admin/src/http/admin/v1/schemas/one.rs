//! `/admin/v1/schemas/{name}`

use axum::Json;
use axum::extract::Path;
use durward_model::resource::Schema;
use durward_model::{Resource, ResourceKind, Stored};

use crate::body::Body;
use crate::call::Call;
use crate::{Plan, Refused, declared};

/// The schema of this name.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Stored>, Refused> {
    declared::find(&call, ResourceKind::Schema, &name).await
}

/// Makes the schema be as given.
pub async fn put(call: Call, Path(name): Path<String>, Body(schema): Body<Schema>) -> Result<Json<Plan>, Refused> {
    declared::put(&call, &name, Resource::Schema(schema)).await
}

/// Deletes the schema.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<Json<Plan>, Refused> {
    declared::delete(&call, ResourceKind::Schema, &name).await
}
