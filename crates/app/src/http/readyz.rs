//! `/readyz`

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use super::Operations;

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    checks: Vec<Check>,
    /// What is declared and cannot be used: its requests are denied, all others are served.
    unusable: Vec<String>,
}

#[derive(Serialize)]
struct Check {
    name: &'static str,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// 200 when requests may be sent here; 503 with each reason when not.
pub async fn get(State(operations): State<Operations>) -> Response {
    let look = |probe: &super::Probe| {
        let why = (probe.check)().err();
        Check { name: probe.name, ready: why.is_none(), why }
    };
    let checks: Vec<Check> = operations.0.probes.iter().map(look).collect();
    let ready = checks.iter().all(|check| check.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let unusable = (operations.0.unusable)();
    (status, Json(Readiness { ready, checks, unusable })).into_response()
}
