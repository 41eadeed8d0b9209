//! `/admin/v1/audit/verify`

use axum::Json;
use serde::Serialize;

use crate::Refused;
use crate::call::Call;

/// A journal in which every record stands where its checkpoints say.
#[derive(Serialize)]
pub struct Verification {
    /// Records.
    size: u64,
    /// The root of the tree over them.
    root: String,
    /// Checkpoints that were compared.
    checkpoints: usize,
    /// Events that were declared lost.
    lost: u64,
}

/// Recomputes the hash tree over this node's journal and compares it with every checkpoint.
pub async fn get(call: Call) -> Result<Json<Verification>, Refused> {
    let verified = call.admin.settings.shared.journal().verify().await?;
    Ok(Json(Verification { size: verified.size, root: verified.root.to_string(), checkpoints: verified.checkpoints, lost: verified.lost }))
}
