//! A node's side of the feed on the wire: `GET /feed/v1?epoch=E&since=S`, snapshot then deltas, a heartbeat each second.

use std::sync::Arc;

use bytes::Bytes;
use durward_base::{Clock, Duration, Rng};
use durward_feed::{Followed, Follower, FollowerError, FrameDecoder, FrameError};
use durward_net::{Client, ClientError, Shutdown};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, MissedTickBehavior};
use url::Url;

use crate::backoff::Backoff;
use crate::snapshot_file::SnapshotFile;
use crate::{Follow, TokenError, TokenSource};

/// So many heartbeats may be missed before the stream is given up.
const MISSED_HEARTBEATS: u32 = 3;
/// How often a heartbeat comes, until the authority says how often.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How often what is known is put on disk.
const KEEP: Duration = Duration::from_secs(5);

/// What a feed client is made of.
pub struct FeedSettings {
    /// The authority's nodes listener: `https://authority:8446`.
    pub authority: Url,
    /// The client that trusts the authority's roots.
    pub client: Client,
    /// The node's access token for the fleet's audience.
    pub token: Arc<dyn TokenSource>,
    /// Where the snapshot is kept, so that a restart without the authority works.
    pub directory: Option<std::path::PathBuf>,
    /// Time.
    pub clock: Clock,
    /// Randomness, for the waits between attempts.
    pub rng: Rng,
}

/// Follows the authority's feed.
pub struct FeedClient {
    settings: FeedSettings,
    follow: Arc<dyn Follow>,
    follower: Follower,
    file: Option<Arc<SnapshotFile>>,
}

/// Why a stream ended. What is known stays, and grows stale until the next one.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Token(TokenError),
    #[error(transparent)]
    Client(ClientError),
    #[error("the authority answered {0}")]
    Refused(StatusCode),
    #[error("the stream broke: {0}")]
    Broken(#[source] hyper::Error),
    #[error("the authority ended the stream")]
    Closed,
    #[error("nothing came for {0:?}")]
    Silent(Duration),
    #[error(transparent)]
    Frame(FrameError),
    #[error(transparent)]
    Follower(FollowerError),
    #[error("the view could not be made of the snapshot")]
    Follow,
}

impl FeedClient {
    /// A client that drives `follow`, first with what is kept on disk, if that can be read.
    pub fn new(settings: FeedSettings, follow: Arc<dyn Follow>) -> Self {
        let file = settings.directory.as_deref().map(SnapshotFile::new).map(Arc::new);
        let kept = file.as_ref().and_then(|file| file.load());
        if let Some((snapshot, heard)) = &kept {
            follow.snapshot(snapshot);
            heard.iter().for_each(|heard| follow.heard(*heard));
        }
        Self { settings, follow, follower: Follower::new(kept.map(|(snapshot, _)| snapshot)), file }
    }

    /// Follows until shutdown. A stream that is lost is asked for again; what was missed comes with it.
    pub async fn run(mut self, shutdown: Shutdown) {
        let mut backoff = Backoff::default();
        loop {
            let ended = tokio::select! {
                ended = self.stream(&mut backoff) => ended,
                () = shutdown.cancelled() => break,
            };
            self.follower.disconnect();
            let wait = backoff.next(&self.settings.rng);
            match ended {
                // The authority ends a stream when its token does.
                Ended::Closed => tracing::debug!(?wait, "the feed ended"),
                ended => tracing::warn!(reason = %ended, ?wait, "the feed was lost"),
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = shutdown.cancelled() => break,
            }
        }
        self.keep().await;
    }

    /// One stream, from the request to its end.
    async fn stream(&mut self, backoff: &mut Backoff) -> Ended {
        let mut body = match self.ask().await {
            Ok(response) => response.into_body(),
            Err(ended) => return ended,
        };
        let mut decoder = FrameDecoder::default();
        let mut silence = HEARTBEAT * MISSED_HEARTBEATS;
        let mut keep = tokio::time::interval(KEEP);
        keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut deadline = Instant::now() + silence;
        loop {
            let chunk = tokio::select! {
                chunk = tokio::time::timeout_at(deadline, body.frame()) => chunk,
                _ = keep.tick() => {
                    self.keep().await;
                    continue;
                }
            };
            match chunk {
                Err(_) => return Ended::Silent(silence),
                Ok(None) => return Ended::Closed,
                Ok(Some(Err(error))) => return Ended::Broken(error),
                Ok(Some(Ok(frame))) => decoder.push(&frame.into_data().unwrap_or_default()),
            }
            match self.take(&mut decoder, backoff).await {
                Ok(Some(heartbeat)) => silence = heartbeat.max(HEARTBEAT / 10) * MISSED_HEARTBEATS,
                Ok(None) => {}
                Err(ended) => return ended,
            }
            deadline = Instant::now() + silence;
        }
    }

    async fn ask(&self) -> Result<http::Response<hyper::body::Incoming>, Ended> {
        let FeedSettings { authority, client, token, .. } = &self.settings;
        let bearer = token.token().await.map_err(Ended::Token)?;
        let at = self.follower.position();
        let mut url = authority.clone();
        url.set_path("/feed/v1");
        url.set_query(Some(&format!("epoch={}&since={}", at.epoch, at.seq)));
        let request = Request::get(url.as_str())
            .header(header::AUTHORIZATION, format!("Bearer {}", bearer.expose()))
            .header(header::ACCEPT, "application/x-ndjson")
            .body(Bytes::new())
            .map_err(|_| Ended::Client(ClientError::Url))?;
        let response = client.stream(request).await.map_err(Ended::Client)?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status => {
                if status == StatusCode::UNAUTHORIZED {
                    token.refused();
                }
                Err(Ended::Refused(status))
            }
        }
    }

    /// Takes in every frame that is here whole, and says how often a heartbeat will come, when that was among them.
    async fn take(&mut self, decoder: &mut FrameDecoder, backoff: &mut Backoff) -> Result<Option<Duration>, Ended> {
        let (mut changed, mut interval) = (false, None);
        while let Some(frame) = decoder.next_frame().map_err(Ended::Frame)? {
            let now = self.settings.clock.now();
            match self.follower.accept(frame, now).map_err(Ended::Follower)? {
                Followed::Greeted { heartbeat } => interval = Some(heartbeat),
                Followed::Changed => changed = true,
                Followed::Confirmed => {
                    self.publish(std::mem::take(&mut changed)).await?;
                    self.follow.heard(now);
                    backoff.reset();
                }
                Followed::Nothing => {}
            }
        }
        self.publish(changed).await?;
        Ok(interval)
    }

    /// Compiles what is known, away from the threads that answer requests.
    async fn publish(&self, changed: bool) -> Result<(), Ended> {
        if changed {
            let (follow, snapshot) = (Arc::clone(&self.follow), self.follower.snapshot().clone());
            tokio::task::spawn_blocking(move || follow.snapshot(&snapshot)).await.map_err(|_| Ended::Follow)?;
        }
        Ok(())
    }

    async fn keep(&mut self) {
        if self.settings.clock.jump().is_none() {
            self.follower.expire(self.settings.clock.now());
        }
        if let Some(file) = self.file.clone() {
            let (snapshot, heard) = (self.follower.snapshot().clone(), self.follower.staleness().last_heartbeat);
            if tokio::task::spawn_blocking(move || file.save(&snapshot, heard)).await.is_err() {
                tracing::warn!("the snapshot was not kept");
            }
        }
    }
}

#[cfg(test)]
mod tests;
