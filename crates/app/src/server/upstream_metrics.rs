//! Metrics of the hosts that the gateway forwards to, read when they are asked for.

use std::sync::Arc;

use durward_gateway::{Gateway, UpstreamStatus};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// The gateway whose hosts are looked at.
pub struct UpstreamGauges(pub Arc<Gateway>);

impl std::fmt::Debug for UpstreamGauges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UpstreamGauges")
    }
}

/// A metric of hosts.
type Gauge = (&'static str, &'static str, fn(&UpstreamStatus) -> u64);

const GAUGES: [Gauge; 4] = [
    ("durward_upstream_in_flight", "Requests under way at a host", |host| host.in_flight.into()),
    ("durward_upstream_idle_connections", "Kept-alive connections to a host without a request", |host| host.idle as u64),
    ("durward_upstream_ejected", "1 while a host is passed over because it failed too often in a row", |host| host.is_ejected.into()),
    ("durward_upstream_ill", "1 while a host fails its health check", |host| host.is_ill.into()),
];

const COUNTERS: [Gauge; 2] = [
    ("durward_upstream_failures", "Requests that a host did not answer, or with 5xx", |host| host.failures),
    ("durward_upstream_retries", "Requests that a host failed and that were sent again", |host| host.retries),
];

impl Collector for UpstreamGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let hosts = self.0.upstream_hosts();
        for (name, help, value) in GAUGES {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for host in &hosts {
                ConstGauge::new(value(host) as f64).encode(family.encode_family(&[("host", &*host.host)])?)?;
            }
        }
        for (name, help, value) in COUNTERS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for host in &hosts {
                ConstCounter::new(value(host)).encode(family.encode_family(&[("host", &*host.host)])?)?;
            }
        }
        Ok(())
    }
}
