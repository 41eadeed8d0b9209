//! Rate, errors and latency by endpoint, and refusals by reason, in Prometheus' text form.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The counters of all listeners of a process. Cheap to clone; every clone counts into the same.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter<u64, AtomicU64>>,
    seconds: Family<EndpointLabels, Histogram, fn() -> Histogram>,
    refusals: Family<RefusalLabels, Counter<u64, AtomicU64>>,
    unserved: Family<UnservedLabels, Counter<u64, AtomicU64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    listener: &'static str,
    endpoint: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabels {
    listener: &'static str,
    endpoint: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    listener: &'static str,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UnservedLabels {
    listener: &'static str,
    reason: &'static str,
}

impl HttpMetrics {
    /// Counters registered as `durward_http_…`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            refusals: Family::default(),
            unserved: Family::default(),
        };
        registry.register("durward_http_requests", "Requests answered", metrics.requests.clone());
        registry.register("durward_http_request_seconds", "Time to the answer's head", metrics.seconds.clone());
        registry.register("durward_http_refusals", "Requests refused, by reason", metrics.refusals.clone());
        registry.register(
            "durward_connections_unserved",
            "Connections that ended before there was a request, by reason",
            metrics.unserved.clone(),
        );
        metrics
    }

    /// Counts one answer of `endpoint` (an endpoint's path or a route's name, never the path as sent).
    pub fn answered(&self, listener: &'static str, endpoint: &str, status: u16, seconds: f64) {
        self.requests.get_or_create(&RequestLabels { listener, endpoint: endpoint.to_owned(), status }).inc();
        self.seconds.get_or_create(&EndpointLabels { listener, endpoint: endpoint.to_owned() }).observe(seconds);
    }

    /// Counts one refusal by its stable reason.
    pub fn refused(&self, listener: &'static str, reason: &str) {
        self.refusals.get_or_create(&RefusalLabels { listener, reason: reason.to_owned() }).inc();
    }

    /// Counts one connection that never brought a request.
    pub fn unserved(&self, listener: &'static str, reason: &'static str) {
        self.unserved.get_or_create(&UnservedLabels { listener, reason }).inc();
    }
}

fn histogram() -> Histogram {
    Histogram::new([0.000_25, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0])
}
