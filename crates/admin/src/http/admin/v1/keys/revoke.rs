//! `/admin/v1/keys/{kid}/revoke`

use axum::Json;
use axum::extract::Path;
use durward_model::Key;

use crate::Refused;
use crate::call::Call;

/// Takes a compromised key out of use at once: everything it signed is dead everywhere within a second.
pub async fn post(call: Call, Path(kid): Path<String>) -> Result<Json<Vec<Key>>, Refused> {
    call.admin.revoke_key(&call.realm, &kid, &call.recorder).await.map(Json)
}
