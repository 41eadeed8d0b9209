//! Gauges read when they are asked for: the age of the view, queue lengths, problems, keys.

use std::sync::Arc;

use durward_base::Clock;
use durward_enforce::View;
use durward_issuer::HashingPool;
use durward_model::{KeyState, KeyUse};
use durward_node::Shared;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::gauge::ConstGauge;

/// What the gauges are read from.
pub struct Gauges {
    /// The view and the journal.
    pub shared: Shared<View>,
    /// Where passwords are hashed.
    pub hashing: Arc<HashingPool>,
    /// Time.
    pub clock: Clock,
}

impl std::fmt::Debug for Gauges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gauges")
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let now = self.clock.now();
        let (view, journal) = (self.shared.view(), self.shared.journal().status());
        let active = view.snapshot().keys().values().filter(|key| key.key_use == KeyUse::Token && key.state == KeyState::Active);
        let oldest = active.map(|key| key.since.seconds()).min().unwrap_or_default();
        let jump = self.clock.jump().map_or(0.0, |jump| jump.millis() as f64 / 1000.0);
        for (name, help, value) in [
            ("durward_feed_age_seconds", "How long ago the authority was last heard of", self.shared.age(now).as_secs_f64()),
            (
                "durward_feed_position",
                "The feed's sequence number that the view shows",
                self.shared.position().map_or(0.0, |at| at.seq as f64),
            ),
            ("durward_view_problems", "Declared resources and keys that cannot be used", view.problems().len() as f64),
            ("durward_revocations", "Revocations in force", view.revocations().iter().count() as f64),
            ("durward_signing_key_since_seconds", "When the oldest active signing key began to sign, as seconds since 1970", oldest as f64),
            ("durward_journal_events", "Events in the journal", journal.size as f64),
            ("durward_journal_queue", "Events waiting for the journal's writer", journal.queued as f64),
            ("durward_journal_lost", "Events lost, each on record in a gap", journal.lost as f64),
            ("durward_clock_jump_seconds", "How far the clock stands from where it should; 0 when it did not jump", jump),
            ("durward_hashing_queue", "Passwords waiting to be hashed", self.hashing.waiting() as f64),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
