//! Accounts: who the customers are.

use axum::routing::get;
use axum::{Json, Router};
use durward_verify::{Authenticated, Problem};
use serde::Serialize;

use crate::ServiceSettings;

/// Runs the service.
pub async fn run(settings: ServiceSettings) -> anyhow::Result<()> {
    let verifier = settings.verifier().await?;
    settings.serve(Router::new().route("/me", get(me)).layer(verifier.layer("accounts"))).await
}

#[derive(Serialize)]
struct Me {
    id: String,
    roles: Vec<String>,
}

/// Anyone who is known may see themselves.
async fn me(caller: Authenticated) -> Result<Json<Me>, Problem> {
    let me = caller.allow_any()?;
    Ok(Json(Me { id: me.id.clone(), roles: me.roles.clone() }))
}
