//! How long what a credential opened may last: a stream or tunnel ends within a second of the credential's revocation.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use durward_base::{Clock, Duration};
use durward_enforce::{Verified, View};
use durward_node::Shared;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::upstream::{UpstreamBody, UpstreamError};

/// How often a credential is looked at again: with the feed's own delay, well within a second.
const AGAIN: Duration = Duration::from_millis(250);

/// The credential that something goes on by.
pub(crate) struct Lifetime {
    pub(crate) shared: Shared<View>,
    pub(crate) clock: Clock,
    /// None on a public route.
    pub(crate) verified: Option<Arc<Verified>>,
    /// Whether it ends with the credential's time: what has no end of its own does, a download does not.
    pub(crate) is_endless: bool,
}

impl Lifetime {
    /// Ready when the credential is revoked or over.
    pub(crate) async fn ended(self) {
        let Some(verified) = self.verified else { return std::future::pending().await };
        loop {
            tokio::time::sleep(AGAIN).await;
            if !verified.stands(&self.shared.view()) || self.is_endless && verified.is_expired(self.clock.now()) {
                return;
            }
        }
    }
}

/// An answer's body that ends early when its credential does.
pub(crate) struct Mortal {
    /// None once it was ended.
    body: Option<UpstreamBody>,
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
    farewell: Option<HeaderMap>,
}

impl Mortal {
    /// One that breaks off, or ends with these trailers.
    pub(crate) fn new(body: UpstreamBody, lifetime: Lifetime, farewell: Option<HeaderMap>) -> Self {
        Self { body: Some(body), ended: Box::pin(lifetime.ended()), farewell }
    }
}

impl Body for Mortal {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        let Self { body: Some(body), ended, .. } = &mut *self else { return Poll::Ready(None) };
        if ended.as_mut().poll(cx).is_pending() {
            return Pin::new(body).poll_frame(cx);
        }
        self.body = None;
        Poll::Ready(Some(self.farewell.take().map(Frame::trailers).ok_or(UpstreamError::CredentialEnded)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(UpstreamBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(UpstreamBody::size_hint).unwrap_or_default()
    }
}
