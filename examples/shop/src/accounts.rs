//! Accounts: who the customers are.

use axum::routing::get;
use axum::{Json, Router};
use durward_verify::{Authenticated, Problem};
use serde::Serialize;

use crate::ServiceSettings;

/// Joins the authority and makes the service's routes.
pub async fn routes(settings: &ServiceSettings) -> anyhow::Result<Router> {
    let verifier = settings.verifier().await?;
    Ok(Router::new().route("/me", get(me)).layer(verifier.layer("accounts")))
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
