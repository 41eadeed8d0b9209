//! `/admin/v1/policies/{name}`

use axum::Json;
use axum::extract::Path;
use durward_model::resource::Policy;
use durward_model::{Resource, ResourceKind, Stored};

use crate::body::Body;
use crate::call::Call;
use crate::{Plan, Refused, declared};

/// The policy of this name.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Stored>, Refused> {
    declared::find(&call, ResourceKind::Policy, &name).await
}

/// Makes the policy be as given.
pub async fn put(call: Call, Path(name): Path<String>, Body(policy): Body<Policy>) -> Result<Json<Plan>, Refused> {
    declared::put(&call, &name, Resource::Policy(policy)).await
}

/// Deletes the policy.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<Json<Plan>, Refused> {
    declared::delete(&call, ResourceKind::Policy, &name).await
}
