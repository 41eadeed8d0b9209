//! The operations listener: `/livez`, `/readyz` (which says why not), `/metrics`.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use durward_model::{AccessClass, EventKind, RateClass};
use durward_net::{Endpoint, Endpoints};
use http::{StatusCode, header};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde::Serialize;

/// What the operations endpoints read.
#[derive(Clone)]
pub struct Operations(Arc<Inner>);

struct Inner {
    registry: Mutex<Registry>,
    probes: Vec<Probe>,
}

/// One thing readiness depends on: its name, and `Err` with the reason while it is not ready.
pub struct Probe {
    /// The name shown.
    pub name: &'static str,
    /// Looks, without waiting.
    pub check: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Check {
    name: &'static str,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Operations {
    /// Over the process's metrics and probes.
    pub fn new(registry: Registry, probes: Vec<Probe>) -> Self {
        Self(Arc::new(Inner { registry: Mutex::new(registry), probes }))
    }

    /// The endpoints.
    pub fn endpoints(self) -> Vec<Endpoint> {
        use AccessClass::Operations;
        use EventKind::OperationsRead;
        use RateClass::Read;
        Endpoints::new(self)
            .get("/livez", Operations, Read, OperationsRead, livez)
            .get("/readyz", Operations, Read, OperationsRead, readyz)
            .get("/metrics", Operations, Read, OperationsRead, metrics)
            .into_rows()
    }
}

/// Answers while the process can answer at all.
async fn livez() -> &'static str {
    "alive\n"
}

/// 200 when requests may be sent here; 503 with each reason when not.
async fn readyz(State(operations): State<Operations>) -> Response {
    let checks: Vec<Check> = operations
        .0
        .probes
        .iter()
        .map(|probe| {
            let why = (probe.check)().err();
            Check { name: probe.name, ready: why.is_none(), why }
        })
        .collect();
    let ready = checks.iter().all(|check| check.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, checks })).into_response()
}

/// The process's metrics in Prometheus' text form.
async fn metrics(State(operations): State<Operations>) -> Response {
    let mut text = String::new();
    let registry = operations.0.registry.lock().unwrap_or_else(PoisonError::into_inner);
    match encode(&mut text, &registry) {
        Ok(()) => ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
