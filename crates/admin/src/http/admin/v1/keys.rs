//! `/admin/v1/keys`

pub mod revoke;
pub mod rotate;

use axum::Json;
use durward_model::Key;

use crate::Refused;
use crate::call::Call;

/// The realm's signing keys, public sides only, the oldest first.
pub async fn get(call: Call) -> Result<Json<Vec<Key>>, Refused> {
    call.admin.keys(&call.realm).await.map(Json)
}
