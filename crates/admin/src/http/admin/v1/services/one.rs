//! `/admin/v1/services/{name}`

use axum::Json;
use axum::extract::Path;
use durward_model::resource::Service;
use durward_model::{Resource, ResourceKind, Stored};

use crate::body::Body;
use crate::call::Call;
use crate::{Plan, Refused, declared};

/// The service of this name.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Stored>, Refused> {
    declared::find(&call, ResourceKind::Service, &name).await
}

/// Makes the service be as given.
pub async fn put(call: Call, Path(name): Path<String>, Body(service): Body<Service>) -> Result<Json<Plan>, Refused> {
    declared::put(&call, &name, Resource::Service(service)).await
}

/// Deletes the service.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<Json<Plan>, Refused> {
    declared::delete(&call, ResourceKind::Service, &name).await
}
