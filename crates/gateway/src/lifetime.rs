//! How long what a credential opened may last: a stream or tunnel ends within a second of the credential's revocation.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use durward_base::{Clock, Duration, Timestamp};
use durward_enforce::{Refusal, Verified, View};
use durward_jose::LEEWAY;
use durward_model::CredentialKind;
use durward_model::resolve::ResolveRequest;
use durward_net::PeerCertificate;
use durward_node::Shared;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::accept::Client;
use crate::gateway::Gateway;
use crate::lookups::Lookups;
use crate::upstream::{UpstreamBody, UpstreamError};

/// How often a credential is looked at again: with the feed's own delay, well within a second.
const AGAIN: Duration = Duration::from_millis(250);
/// How long an authority that cannot be asked is waited for before it is asked again.
const AWAY: Duration = Duration::from_secs(5);
/// How long something goes on while it cannot be asked: as long as by an access token, which nobody is asked about.
const UNASKED: Duration = Duration::from_secs(300);

/// How long an answer is waited for: meanwhile no revocation is heard.
const PROMPT: Duration = Duration::from_millis(500);

/// What the credential is at this moment.
enum Now {
    Counts(Arc<Verified>),
    /// The authority cannot be asked.
    Unknown,
    Over,
}

/// The credential that something goes on by.
pub(crate) struct Lifetime {
    shared: Shared<View>,
    clock: Clock,
    lookups: Lookups,
    /// None on a public route.
    verified: Option<Arc<Verified>>,
    /// What the authority was asked about it: its answer is over before the credential is.
    asked: Option<ResolveRequest>,
    certificate: Option<PeerCertificate>,
    is_endless: bool,
}

impl Lifetime {
    /// That of what a credential opens. What is endless ends with the credential's time, a download does not.
    pub(crate) fn of(
        gateway: &Gateway,
        verified: Option<&Arc<Verified>>,
        (asked, client): (Option<&ResolveRequest>, &Client),
        is_endless: bool,
    ) -> Self {
        Self {
            shared: gateway.shared.clone(),
            clock: gateway.clock.clone(),
            lookups: gateway.lookups.clone(),
            verified: verified.map(Arc::clone),
            asked: asked.cloned(),
            certificate: client.certificate.clone(),
            is_endless,
        }
    }

    /// Ready when the credential is revoked or over.
    pub(crate) async fn ended(mut self) {
        let Some(mut verified) = self.verified.take() else { return std::future::pending().await };
        let realm = verified.principal().realm.clone();
        let policies = |view: &View| view.realm(&realm).map(|realm| realm.policy_version());
        let decided = policies(&self.shared.view());
        let (mut seen, mut patience) = (None, Timestamp::default());
        loop {
            tokio::time::sleep(AGAIN).await;
            let (view, now) = (self.shared.view(), self.clock.now());
            if !verified.stands(&view) {
                return;
            }
            // A token ends soon; what may go on for a year is begun, and decided, anew when the policies change.
            if self.is_endless && self.asked.is_some() && policies(&view) != decided {
                return;
            }
            let holds = seen == Some(view.generation()) && !verified.is_expired(now);
            if !self.is_endless || holds || now < patience {
                continue;
            }
            match self.again(&verified, now).await {
                Now::Counts(known) => (verified, seen) = (known, Some(view.generation())),
                Now::Unknown if now < self.latest(&verified) => patience = (now + AWAY).min(self.latest(&verified)),
                Now::Unknown | Now::Over => return,
            }
        }
    }

    /// Until when it goes on at the latest while nobody can be asked. A token of another issuer says itself when it ends.
    fn latest(&self, verified: &Verified) -> Timestamp {
        let latest = verified.expires() + UNASKED;
        let is_token = self.asked.as_ref().is_some_and(|asked| asked.kind == CredentialKind::Jwt);
        if is_token { latest.min(verified.principal().credential.expires + LEEWAY) } else { latest }
    }

    async fn again(&self, verified: &Arc<Verified>, now: Timestamp) -> Now {
        let Some(asked) = &self.asked else {
            return if verified.is_expired(now) { Now::Over } else { Now::Counts(Arc::clone(verified)) };
        };
        let again = self.lookups.again(asked, self.certificate.as_ref(), now);
        match tokio::time::timeout(PROMPT, again).await {
            Ok(Ok(known)) if verified.is_still(&known) => Now::Counts(known),
            // A right key is never throttled. A right password may be, by what others try.
            Ok(Err(Refusal::Throttled(_))) if asked.kind == CredentialKind::ApiKey => Now::Over,
            Ok(Err(Refusal::CannotResolve(_) | Refusal::Throttled(_))) | Err(_) => Now::Unknown,
            Ok(_) => Now::Over,
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
