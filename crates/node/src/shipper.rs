//! Sends a node's journal to the authority: `POST /internal/v1/events`, in batches, from a cursor on disk.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use durward_audit::{BATCH_EVENTS, encode_batch};
use durward_base::{Clock, Duration, EventId, Rng};
use durward_model::{Event, EventKind, Outcome};
use durward_net::{Client, ClientError, Shutdown};
use http::{Request, StatusCode, header};
use url::Url;

use crate::backoff::Backoff;
use crate::journal::{Place, replace};
use crate::{Journal, JournalError, TokenError, TokenSource};

/// The media type of a batch (RFC 8742).
const CBOR_SEQUENCE: &str = "application/cbor-seq";
/// Bytes of an answer that are read.
const ANSWER: usize = 64 * 1024;
/// Events that may wait for the authority; the oldest above this are dropped, and a gap says how many.
const BEHIND: u64 = 1_000_000;
/// Time to send what is left at shutdown.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a shipper is made of.
pub struct ShipperSettings {
    /// The journal that is sent and, once sent, removed.
    pub journal: Journal,
    /// The node's name in the events that the shipper itself writes.
    pub node: Arc<str>,
    /// The authority's nodes listener: `https://authority:8446`.
    pub authority: Url,
    /// The client that trusts the authority's roots.
    pub client: Client,
    /// The node's access token for the fleet's audience.
    pub token: Arc<dyn TokenSource>,
    /// Time.
    pub clock: Clock,
    /// Randomness, for the waits between attempts.
    pub rng: Rng,
}

/// Sends a journal's events to the authority, each at least once; the authority knows one it has by its id.
pub struct EventShipper {
    settings: ShipperSettings,
    cursor: PathBuf,
    place: Place,
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
enum Unsent {
    #[error(transparent)]
    Token(TokenError),
    #[error(transparent)]
    Client(ClientError),
    #[error("the authority answered {0}")]
    Refused(StatusCode),
    #[error(transparent)]
    Journal(JournalError),
}

impl EventShipper {
    /// A shipper that begins where the last one ended.
    pub fn new(settings: ShipperSettings) -> Self {
        let cursor = settings.journal.reader().directory().join("shipped");
        let index = std::fs::read_to_string(&cursor).ok().and_then(|index| index.parse().ok()).unwrap_or_default();
        Self { settings, cursor, place: Place::at(index) }
    }

    /// Sends until shutdown, and then what is left, for two seconds.
    pub async fn run(mut self, shutdown: Shutdown) {
        let mut grown = self.settings.journal.grown();
        let mut backoff = Backoff::default();
        while !shutdown.is_cancelled() {
            let end = *grown.borrow_and_update();
            let wait = match self.ship(end).await {
                Ok(()) => {
                    backoff.reset();
                    None
                }
                Err(unsent) => {
                    let wait = backoff.next(&self.settings.rng);
                    tracing::warn!(reason = %unsent, ?wait, behind = end.saturating_sub(self.place.index), "events cannot be sent");
                    self.drop_oldest(end).await;
                    Some(wait)
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
                changed = grown.changed(), if wait.is_none() => if changed.is_err() { break },
            }
        }
        let farewell = async {
            let _ = self.settings.journal.flush().await;
            let end = *grown.borrow();
            self.ship(end).await
        };
        if !matches!(tokio::time::timeout(FAREWELL, farewell).await, Ok(Ok(()))) {
            tracing::warn!("some events stay behind until the next start");
        }
    }

    /// Sends everything up to the record `end`.
    async fn ship(&mut self, end: u64) -> Result<(), Unsent> {
        while self.place.index < end {
            let (reader, mut place) = (self.settings.journal.reader().clone(), self.place.clone());
            let read = tokio::task::spawn_blocking(move || reader.next(&mut place, end, BATCH_EVENTS).map(|events| (events, place)));
            let (events, place) = read.await.map_err(|_| Unsent::Journal(JournalError::Closed))?.map_err(Unsent::Journal)?;
            if !events.is_empty() {
                self.send(&events).await?;
            }
            self.arrived(place).await?;
        }
        Ok(())
    }

    async fn send(&self, events: &[Event]) -> Result<(), Unsent> {
        let ShipperSettings { authority, client, token, .. } = &self.settings;
        let bearer = token.token().await.map_err(Unsent::Token)?;
        let mut url = authority.clone();
        url.set_path("/internal/v1/events");
        let request = Request::post(url.as_str())
            .header(header::AUTHORIZATION, format!("Bearer {}", bearer.expose()))
            .header(header::CONTENT_TYPE, CBOR_SEQUENCE)
            .body(Bytes::from(encode_batch(events)))
            .map_err(|_| Unsent::Client(ClientError::Url))?;
        match client.call(request, ANSWER).await.map_err(Unsent::Client)?.status() {
            status if status.is_success() => Ok(()),
            // The same batch would be refused for ever, and all behind it with it.
            status @ (StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY) => {
                tracing::error!(%status, events = events.len(), "the authority does not take these events");
                let lost = events.iter().filter(|event| event.kind != EventKind::Gap).count();
                self.declare("batch_refused", u64::try_from(lost).unwrap_or(u64::MAX));
                Ok(())
            }
            status => {
                if status == StatusCode::UNAUTHORIZED {
                    token.refused();
                }
                Err(Unsent::Refused(status))
            }
        }
    }

    /// Notes on disk how far the authority has everything, and lets go of it.
    async fn arrived(&mut self, place: Place) -> Result<(), Unsent> {
        let (reader, cursor, index) = (self.settings.journal.reader().clone(), self.cursor.clone(), place.index);
        let noted = tokio::task::spawn_blocking(move || {
            replace(&cursor, index.to_string().as_bytes()).map_err(|cause| JournalError::Disk { path: cursor, cause })?;
            reader.remove_below(index)
        });
        noted.await.map_err(|_| Unsent::Journal(JournalError::Closed))?.map_err(Unsent::Journal)?;
        self.place = place;
        Ok(())
    }

    /// Keeps what waits within bounds.
    async fn drop_oldest(&mut self, end: u64) {
        let behind = end.saturating_sub(self.place.index);
        if behind > BEHIND {
            let dropped = behind - BEHIND / 2;
            match self.arrived(Place::at(self.place.index + dropped)).await {
                Ok(()) => self.declare("spool_full", dropped),
                Err(error) => tracing::error!(%error, "the spool is beyond its bounds"),
            }
        }
    }

    fn declare(&self, reason: &str, lost: u64) {
        let now = self.settings.clock.now();
        let mut gap = Event::new(EventId::new(now, &self.settings.rng), now, Arc::clone(&self.settings.node), EventKind::Gap);
        gap.outcome = Outcome::Failed;
        gap.reason = Some(reason.to_owned());
        gap.detail = Some(format!("{lost} events did not reach the authority"));
        gap.lost = lost;
        drop(self.settings.journal.record(gap));
    }
}

#[cfg(test)]
mod tests;
