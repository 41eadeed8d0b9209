//! Exactly one audit event per request: the surface opens it, the handler fills it in, the surface or the store's transaction keeps it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use durward_base::EventId;
use durward_model::Event;
use http::request::Parts;

/// The audit record could not take an event; what needed it must not be answered with success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit record cannot be written")]
pub struct RecordError;

/// Where events go that no store transaction keeps.
pub trait Record: Send + Sync + 'static {
    /// Keeps the event. Resolves once it is on disk when it must be (`Event::must_be_durable`), at once otherwise.
    fn record(&self, event: Event) -> Pin<Box<dyn Future<Output = Result<(), RecordError>> + Send + '_>>;
}

/// The request's event while the request lasts.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The event so far.
    pub event: Event,
    /// Whether a transaction has kept it.
    pub committed: bool,
}

/// A handle on the request's event. An extractor for every handler.
#[derive(Debug, Clone)]
pub struct Recorder(Arc<Mutex<Draft>>);

impl Recorder {
    /// Opens the event.
    pub fn new(event: Event) -> Self {
        Self(Arc::new(Mutex::new(Draft { event, committed: false })))
    }

    /// The request's id.
    pub fn id(&self) -> EventId {
        self.with(|draft| draft.event.id)
    }

    /// Fills in what has become known.
    pub fn edit(&self, change: impl FnOnce(&mut Event)) {
        self.with(|draft| change(&mut draft.event));
    }

    /// The event as it is now, for a store transaction. When that commits, call `committed`.
    pub fn event(&self) -> Event {
        self.with(|draft| draft.event.clone())
    }

    /// Says that a store transaction has kept the event: the surface will not record it again.
    pub fn committed(&self) {
        self.with(|draft| draft.committed = true);
    }

    /// The event as it has become.
    pub(crate) fn finish(self) -> Draft {
        let copy = |shared: Arc<Mutex<Draft>>| shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Arc::try_unwrap(self.0).map_or_else(copy, |draft| draft.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn with<T>(&self, read: impl FnOnce(&mut Draft) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Sync> FromRequestParts<S> for Recorder {
    type Rejection = Infallible;

    #[allow(clippy::expect_used, reason = "a surface puts the recorder into every request before any handler runs")]
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Recorder>().cloned().expect("served by a surface"))
    }
}
