//! Every endpoint of the operations listener.

mod livez;
mod metrics;
mod readyz;

use std::sync::{Arc, Mutex};

use durward_model::AccessClass::Operations as OPERATIONS;
use durward_model::EventKind::OperationsRead;
use durward_model::RateClass::Read;
use durward_net::{Endpoint, Endpoints};
use prometheus_client::registry::Registry;

/// What the operations endpoints read.
#[derive(Clone)]
pub struct Operations(Arc<Inner>);

struct Inner {
    registry: Mutex<Registry>,
    probes: Vec<Probe>,
    unusable: Unusable,
}

/// Says what is declared and cannot be used, without waiting.
pub type Unusable = Box<dyn Fn() -> Vec<String> + Send + Sync>;

/// One thing readiness depends on: its name, and `Err` with the reason while it is not ready.
pub struct Probe {
    /// The name shown.
    pub name: &'static str,
    /// Looks, without waiting.
    pub check: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

impl Operations {
    /// Over the process's metrics and probes.
    pub fn new(registry: Registry, probes: Vec<Probe>, unusable: Unusable) -> Self {
        Self(Arc::new(Inner { registry: Mutex::new(registry), probes, unusable }))
    }

    /// The endpoints.
    pub fn endpoints(self) -> Vec<Endpoint> {
        Endpoints::new(self)
            .get("/livez", OPERATIONS, Read, OperationsRead, livez::get)
            .get("/readyz", OPERATIONS, Read, OperationsRead, readyz::get)
            .get("/metrics", OPERATIONS, Read, OperationsRead, metrics::get)
            .into_rows()
    }
}
