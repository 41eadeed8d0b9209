//! OpenID Connect Back-Channel Logout 1.0 section 2.5: telling clients that a login is over, from a queue and never while anybody waits.

use std::sync::Arc;

use bytes::Bytes;
use durward_base::{EventId, TokenId};
use durward_model::resource::Client;
use durward_model::{EgressUrl, Event, EventKind, LogoutNotice, Outcome, Source, Write};
use durward_net::GuardedError;
use durward_oauth::OAuthError;
use durward_oauth::logout_token::{self, Ended};
use durward_store::StoreError;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::Issuer;
use crate::client_documents;
use crate::issuer::Inner;
use crate::realm::PresentRealm;

/// How often the queue is looked at although nothing seems to have happened: retries, and what other nodes left.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(5);
/// Most clients that are told at one time.
const AT_ONCE: usize = 32;

/// Why a client was not told.
#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    /// The client is gone, or wants to be told no longer.
    #[error("nobody is to be told any more")]
    NobodyToTell,
    /// The token could not be made.
    #[error("the logout token cannot be made: {0}")]
    Unsigned(OAuthError),
    /// The call failed.
    #[error(transparent)]
    Call(#[from] GuardedError),
}

impl Issuer {
    /// Tells clients of logins that ended, as they end, until `shutdown` is done.
    pub async fn deliver_logouts(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut ended = self.inner().store().subscribe();
        let mut again = interval(AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut underway = JoinSet::new();
        loop {
            tokio::select! {
                changed = ended.changed() => if changed.is_err() { return },
                _ = again.tick() => {}
                Some(_) = underway.join_next() => continue,
                () = &mut shutdown => return,
            }
            if let Err(error) = begin_due(self.inner(), &mut underway).await {
                tracing::warn!(%error, "the queue of logouts to tell of could not be read");
            }
        }
    }

    /// Tells clients of the logins whose turn it is, once each, and returns when that is done.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub async fn deliver_due_logouts(&self) -> Result<(), StoreError> {
        let mut underway = JoinSet::new();
        begin_due(self.inner(), &mut underway).await?;
        while underway.join_next().await.is_some() {}
        Ok(())
    }
}

/// Begins to tell of what is due, as far as there is room. A client that does not answer keeps nobody else waiting.
async fn begin_due(issuer: &Arc<Inner>, underway: &mut JoinSet<()>) -> Result<(), StoreError> {
    // A clock that jumped makes tokens that nobody takes.
    if issuer.settings.clock.jump().is_some() {
        return Ok(());
    }
    let room = AT_ONCE.saturating_sub(underway.len());
    let now = issuer.now();
    for notice in issuer.store().logout_notices_due(now, room as u64).await? {
        if issuer.store().take_logout_notice(&notice, now).await? {
            let issuer = Arc::clone(issuer);
            underway.spawn(async move { attempt(&issuer, &notice).await });
        }
    }
    Ok(())
}

/// One try. A failed one comes again by itself, until there is no sense in it any more.
async fn attempt(issuer: &Arc<Inner>, notice: &LogoutNotice) {
    let told = deliver(issuer, notice).await;
    let (outcome, reason) = match &told {
        Ok(()) => (Outcome::Changed, None),
        Err(DeliveryError::NobodyToTell) => (Outcome::Changed, Some("logout.nobody_to_tell")),
        Err(error) => {
            tracing::warn!(%error, realm = notice.realm, client = %notice.client, "a client was not told of a logout");
            if issuer.now() + notice.wait < notice.ended + LogoutNotice::KEPT {
                return;
            }
            (Outcome::Failed, Some("logout.undeliverable"))
        }
    };
    let drop = Write::DropLogoutNotice { realm: notice.realm.clone(), family: notice.family };
    if let Err(error) = issuer.store().commit(&[drop], event(issuer, notice, outcome, reason)).await {
        tracing::warn!(%error, "a client was told of a logout and will be told again");
    }
}

async fn deliver(issuer: &Arc<Inner>, notice: &LogoutNotice) -> Result<(), DeliveryError> {
    let realm = PresentRealm::find(issuer, &notice.realm, Source::default()).ok_or(DeliveryError::NobodyToTell)?;
    // A client that is known by a document has its URL for a name, which stands in the family.
    if realm.client_by_id(notice.client).is_none()
        && let Ok(Some(facts)) = issuer.store().family_facts(&notice.realm, notice.family).await
    {
        client_documents::admit(issuer, &realm, &facts.family.client_name, None).await.ok();
    }
    let client = realm.client_by_id(notice.client).ok_or(DeliveryError::NobodyToTell)?.metadata;
    let uri = client.backchannel_logout_uri.as_ref().ok_or(DeliveryError::NobodyToTell)?;
    let token = token(issuer, &realm, client, notice).await.map_err(DeliveryError::Unsigned)?;
    Ok(post(issuer, uri, &token).await?)
}

async fn token(issuer: &Arc<Inner>, realm: &PresentRealm, client: &Client, notice: &LogoutNotice) -> Result<String, OAuthError> {
    if let Some(uri) = &client.jwks_uri {
        issuer.key_sets.load(uri, None).await;
    }
    let (now, keys) = (issuer.now(), issuer.keys(&notice.realm)?);
    let ended = Ended { subject: &notice.subject, family: notice.family };
    logout_token::sign(realm, client, ended, &keys, (now, TokenId::new(now, issuer.rng())))
}

/// 2.5: "an HTTP POST request" with "the application/x-www-form-urlencoded encoding" and the parameter `logout_token`.
async fn post(issuer: &Arc<Inner>, uri: &EgressUrl, token: &str) -> Result<(), GuardedError> {
    let mut request = Request::new(Bytes::from(format!("logout_token={token}")));
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    issuer.settings.egress.post(uri, request).await
}

fn event(issuer: &Inner, notice: &LogoutNotice, outcome: Outcome, reason: Option<&str>) -> Event {
    let now = issuer.now();
    let mut event = Event::new(EventId::new(now, issuer.rng()), now, NODE.into(), EventKind::LogoutNotified);
    event.realm = Some(notice.realm.as_str().into());
    event.outcome = outcome;
    event.reason = reason.map(str::to_owned);
    event.chain.family = Some(notice.family.to_string());
    event.target = Some(format!("client/{}", notice.client));
    event
}

/// The name of this process in events.
pub(crate) const NODE: &str = "authority";
