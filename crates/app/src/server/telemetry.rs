//! Logs and traces: JSON lines with the request's id, and OTLP with W3C context when a collector is named.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use durward_net::HOP_TARGET;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::configuration::{LogFormat, Telemetry};

/// Sends what has been gathered when dropped.
pub struct Exporter(Option<SdkTracerProvider>);

/// Starts logging to standard error, and tracing when `otlp` names a collector, which is told that this is `service`. Once per process; a
/// second call keeps the first's.
pub fn start(telemetry: &Telemetry, service: &str) -> anyhow::Result<Exporter> {
    let filter = filter(telemetry)?;
    let provider = telemetry.otlp.as_deref().map(|endpoint| tracer(endpoint, service)).transpose()?;
    let hops = provider.as_ref().map(|provider| {
        let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("durward"));
        let spans = spans.with_location(false).with_threads(false).with_tracked_inactivity(false);
        spans.with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == HOP_TARGET))
    });
    let registry = tracing_subscriber::registry().with(hops);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // The layer's own default heeds NO_COLOR, and nothing else.
    let lines = if std::io::stderr().is_terminal() { lines } else { lines.with_ansi(false) };
    let started = match telemetry.format {
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_filter(filter)).try_init(),
        LogFormat::Text => registry.with(lines.compact().with_target(false).with_filter(filter)).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was already started");
    }
    Ok(Exporter(provider))
}

/// What is logged.
///
/// # Errors
/// When `log` is no filter.
pub fn filter(telemetry: &Telemetry) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(&telemetry.log).with_context(|| format!("telemetry.log: `{}` is no log filter", telemetry.log))
}

fn tracer(endpoint: &str, service: &str) -> anyhow::Result<SdkTracerProvider> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .with_context(|| format!("telemetry.otlp: `{endpoint}` cannot be used"))?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name(service.to_owned()).build())
        .build())
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "traces could not all be sent");
        }
    }
}
