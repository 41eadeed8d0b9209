//! How long the audit journal is kept: whole segments that are older go, once they are verified, and the record says so.

use std::sync::Arc;

use durward_base::{Clock, Duration, EventId, Rng};
use durward_model::{Event, EventKind, Outcome};
use durward_net::Shutdown;
use durward_node::Journal;

/// How often the journal's age is looked at.
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// What keeping a journal to its age takes.
pub struct Retention {
    /// The journal.
    pub journal: Journal,
    /// The node's name in events.
    pub node: Arc<str>,
    /// How many days an event is kept at least; 0 is for ever.
    pub days: u32,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
}

impl Retention {
    /// Prunes at once and every hour, until shutdown.
    pub async fn run(self, shutdown: Shutdown) {
        if self.days == 0 {
            return;
        }
        let mut hourly = tokio::time::interval(HOUR);
        loop {
            tokio::select! {
                _ = hourly.tick() => self.prune().await,
                () = shutdown.cancelled() => return,
            }
        }
    }

    async fn prune(&self) {
        // Nothing is forgotten by a clock that jumped.
        if self.clock.jump().is_some() {
            return;
        }
        let now = self.clock.now();
        match self.journal.prune(now - DAY * self.days).await {
            Ok(pruned) if pruned.events == 0 => {}
            Ok(pruned) => {
                let mut event = Event::new(EventId::new(now, &self.rng), now, Arc::clone(&self.node), EventKind::AuditPruned);
                event.outcome = Outcome::Changed;
                event.target = Some("journal".to_owned());
                event.detail = Some(format!(
                    "{} events older than {} days, all before number {}, were verified and removed",
                    pruned.events, self.days, pruned.up_to
                ));
                if self.journal.record(event).await.is_err() {
                    tracing::error!(?pruned, "the journal was pruned, and the record does not say so");
                }
            }
            Err(error) => tracing::error!(%error, "the journal is not pruned: what is old stays"),
        }
    }
}
