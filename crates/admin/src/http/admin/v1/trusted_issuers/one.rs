//! `/admin/v1/trusted-issuers/{name}`

use axum::Json;
use axum::extract::Path;
use durward_model::resource::TrustedIssuer;
use durward_model::{Resource, ResourceKind, Stored};

use crate::body::Body;
use crate::call::Call;
use crate::{Plan, Refused, declared};

/// The trusted issuer of this name.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Stored>, Refused> {
    declared::find(&call, ResourceKind::TrustedIssuer, &name).await
}

/// Makes the issuer be as given.
pub async fn put(call: Call, Path(name): Path<String>, Body(issuer): Body<TrustedIssuer>) -> Result<Json<Plan>, Refused> {
    declared::put(&call, &name, Resource::TrustedIssuer(issuer)).await
}

/// Deletes the issuer.
pub async fn delete(call: Call, Path(name): Path<String>) -> Result<Json<Plan>, Refused> {
    declared::delete(&call, ResourceKind::TrustedIssuer, &name).await
}
