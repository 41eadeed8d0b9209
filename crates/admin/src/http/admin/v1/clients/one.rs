//! `/admin/v1/clients/{name}`

use axum::Json;
use axum::extract::Path;
use durward_model::resource::Client;
use durward_model::{Resource, ResourceKind, Stored};

use crate::body::Body;
use crate::call::Call;
use crate::{Plan, Refused, declared};

/// The client of this name.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Stored>, Refused> {
    declared::find(&call, ResourceKind::Client, &name).await
}

/// Makes the client be as given.
pub async fn put(call: Call, Path(name): Path<String>, Body(client): Body<Client>) -> Result<Json<Plan>, Refused> {
    declared::put(&call, &name, Resource::Client(client)).await
}

/// Deletes the client.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<Json<Plan>, Refused> {
    declared::delete(&call, ResourceKind::Client, &name).await
}
