//! `/admin/v1/keys/rotate`

use axum::Json;
use durward_model::Key;

use crate::Refused;
use crate::call::Call;

/// Lets the next keys sign from now on; those before them verify until the last token under them is dead.
pub async fn post(call: Call) -> Result<Json<Vec<Key>>, Refused> {
    call.admin.rotate(&call.realm, &call.recorder).await.map(Json)
}
