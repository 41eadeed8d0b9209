//! `/admin/v1/apply`

use axum::Json;

use crate::body::Body;
use crate::call::Call;
use crate::{Apply, Plan, Refused, declared};

/// Makes the realm have these resources, all of them or none; says what that changes, or would.
pub async fn post(call: Call, Body(apply): Body<Apply>) -> Result<Json<Plan>, Refused> {
    declared::apply(&call, apply).await
}
