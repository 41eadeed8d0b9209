//! `/admin/v1/status`

use axum::Json;
use durward_model::Position;
use serde::Serialize;

use crate::Refused;
use crate::call::Call;

/// How the authority stands, and where it is reached.
#[derive(Serialize)]
pub struct Status {
    version: &'static str,
    node: String,
    issuer: String,
    gateway: Option<String>,
    nodes: String,
    /// How far this node's view has come.
    position: Option<Position>,
    /// What of the present state cannot be used, and why.
    problems: Vec<String>,
    journal: Journal,
}

#[derive(Serialize)]
struct Journal {
    size: u64,
    queued: usize,
    lost: u64,
    available: bool,
}

/// How the authority stands.
pub async fn get(call: Call) -> Result<Json<Status>, Refused> {
    let settings = &call.admin.settings;
    let journal = settings.shared.journal().status();
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        node: settings.node.to_string(),
        issuer: call.admin.issuer(&call.realm),
        gateway: settings.gateway_url.clone(),
        nodes: settings.nodes_url.clone(),
        position: settings.shared.position(),
        problems: settings.shared.view().problems().iter().map(ToString::to_string).collect(),
        journal: Journal { size: journal.size, queued: journal.queued, lost: journal.lost, available: journal.available },
    }))
}
