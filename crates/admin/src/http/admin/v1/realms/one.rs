//! `/admin/v1/realms/{name}`

use axum::Json;
use axum::extract::Path;
use durward_model::resource::Realm;
use durward_model::{Resource, ResourceKind, Stored};

use crate::body::Body;
use crate::call::Call;
use crate::{Plan, Refused, declared};

/// The realm of this name.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Stored>, Refused> {
    declared::find(&call, ResourceKind::Realm, &name).await
}

/// Makes the realm be as given.
pub async fn put(call: Call, Path(name): Path<String>, Body(realm): Body<Realm>) -> Result<Json<Plan>, Refused> {
    declared::put(&call, &name, Resource::Realm(realm)).await
}

/// Deletes the realm.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<Json<Plan>, Refused> {
    declared::delete(&call, ResourceKind::Realm, &name).await
}
