//! `/admin/v1/routes/{name}`

use axum::Json;
use axum::extract::Path;
use durward_model::resource::Route;
use durward_model::{Resource, ResourceKind, Stored};

use crate::body::Body;
use crate::call::Call;
use crate::{Plan, Refused, declared};

/// The route of this name.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Stored>, Refused> {
    declared::find(&call, ResourceKind::Route, &name).await
}

/// Makes the route be as given.
pub async fn put(call: Call, Path(name): Path<String>, Body(route): Body<Route>) -> Result<Json<Plan>, Refused> {
    declared::put(&call, &name, Resource::Route(route)).await
}

/// Deletes the route.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<Json<Plan>, Refused> {
    declared::delete(&call, ResourceKind::Route, &name).await
}
