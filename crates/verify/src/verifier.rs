//! A service's side of the authority: its feed, its journal, its tokens.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use durward_base::{Clock, Duration, Rng, Secret};
use durward_enforce::{CredentialCache, Freshness, View};
use durward_net::{Client, Shutdown, Trust};
use durward_node::{
    EventShipper, FeedClient, FeedSettings, JournalError, RemoteAuthority, Resolver, Shared, ShipperSettings, TokenSource, machine,
};
use tokio_util::sync::DropGuard;
use url::Url;

use crate::exchange::Exchanged;
use crate::tokens::Tokens;
use crate::{Authority, Peer, ServiceCredential, TokenError, VerifyLayer, journal};

/// The audience of the tokens with which a service follows the feed and posts its events.
const FLEET: &str = "urn:durward:fleet";
/// Time to the first snapshot of the feed.
const FIRST_SNAPSHOT: Duration = Duration::from_secs(10);

/// Everything a service verifies with. Cheap to clone; what runs in the background ends with the last clone.
#[derive(Clone)]
pub struct Verifier(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    /// The name in events: `service/payments`.
    pub(crate) node: Arc<str>,
    pub(crate) realm: Arc<str>,
    pub(crate) shared: Shared<View>,
    pub(crate) cache: CredentialCache,
    pub(crate) freshness: Freshness,
    pub(crate) resolver: Resolver,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    client: Client,
    tokens: Tokens,
    _running: DropGuard,
}

/// Why a service cannot join.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// An address of the authority is none.
    #[error("{0} is no address of an authority")]
    Address(Url),
    /// Its directory cannot be used.
    #[error("{path} cannot be used: {cause}")]
    Data {
        /// The directory or file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// Its journal cannot be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Its journal's key is none.
    #[error("{path} holds no key for the journal: {cause}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The authority gives no token for the feed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The feed does not begin.
    #[error("nothing came from the feed at {0} within {FIRST_SNAPSHOT:?}")]
    Feed(Url),
}

impl Verifier {
    /// Joins the authority: opens the journal in `data` (made when missing, held by one process at a time), follows the feed, and posts the
    /// journal's events. Returns once there is something to verify with: the feed's first snapshot, or the one kept in `data`.
    pub async fn connect(authority: &Authority, trust: &Trust, credential: &ServiceCredential, data: &Path) -> Result<Self, ConnectError> {
        let (clock, rng) = (machine::clock(), machine::rng());
        let realm = authority.issuer.path_segments().and_then(|mut segments| segments.next_back()).filter(|realm| !realm.is_empty());
        let realm: Arc<str> = realm.ok_or_else(|| ConnectError::Address(authority.issuer.clone()))?.into();
        let node: Arc<str> = format!("service/{}", credential.service).into();
        let client = Client::new(Some(trust.clone()));
        let tokens = Tokens::new(client.clone(), endpoint(&authority.issuer)?, credential);
        let journal = journal::open(data, &node, clock.clone(), rng.clone())?;
        let shared = Shared::new(View::default(), journal.clone());
        let running = Shutdown::new();
        let token: Arc<dyn TokenSource> = Arc::new(FleetToken(tokens.clone()));
        let feed = FeedSettings {
            authority: authority.nodes.clone(),
            client: client.clone(),
            token: Arc::clone(&token),
            directory: Some(data.to_owned()),
            clock: clock.clone(),
            rng: rng.clone(),
        };
        let follow = shared.following(|snapshot, previous: &View| {
            let (view, problems) = View::compile(snapshot, Some(previous));
            problems.iter().for_each(|problem| tracing::warn!(%problem, "part of what the authority declares cannot be used"));
            view
        });
        tokio::spawn(FeedClient::new(feed, follow).run(running.clone()));
        let shipping = ShipperSettings {
            journal,
            node: Arc::clone(&node),
            authority: authority.nodes.clone(),
            client: client.clone(),
            token: Arc::clone(&token),
            clock: clock.clone(),
            rng: rng.clone(),
        };
        tokio::spawn(EventShipper::new(shipping).run(running.clone()));
        let asked = RemoteAuthority { authority: authority.nodes.clone(), client: client.clone(), token };
        let inner = Inner {
            node,
            realm,
            shared,
            cache: CredentialCache::new(&rng),
            freshness: Freshness::new(&rng),
            resolver: Resolver::new(Arc::new(asked), clock.clone(), &rng),
            clock,
            rng,
            client,
            tokens,
            _running: running.drop_guard(),
        };
        let verifier = Self(Arc::new(inner));
        verifier.loaded(&authority.nodes).await?;
        Ok(verifier)
    }

    /// A layer that lets pass only requests with a good credential for `audience`: an access token made for it, or a gateway's identity
    /// token. What the caller may do, handlers decide by the `Authenticated` extractor.
    pub fn layer(&self, audience: &str) -> VerifyLayer {
        VerifyLayer::new(self.clone(), audience)
    }

    /// Another service at `base`, called with tokens made for the audience `service`.
    pub fn peer(&self, service: &str, base: &Url) -> Peer {
        Peer {
            service: service.to_owned(),
            base: base.clone(),
            client: self.0.client.clone(),
            tokens: self.0.tokens.clone(),
            exchanged: Exchanged::default(),
            subject: None,
        }
    }

    /// The service's own token for an audience (RFC 6749 section 4.4): fetched once however many ask, renewed at 80 % of its life.
    pub async fn token_for(&self, audience: &str) -> Result<Arc<Secret>, TokenError> {
        self.0.tokens.token(audience).await
    }

    /// Puts every event on disk and ends the journal. To be called last.
    pub async fn close(&self) {
        self.0.shared.journal().close().await;
    }

    #[cfg(test)]
    pub(crate) fn for_tests(shared: Shared<View>, authority: Arc<dyn durward_node::Resolve>, clock: Clock, rng: Rng) -> Self {
        let client = Client::new(None);
        let endpoint = "http://127.0.0.1:9/token".parse().unwrap();
        let tokens = Tokens::new(client.clone(), endpoint, &ServiceCredential::new("inventory", "inventory-program", "secret"));
        let (node, realm) = ("service/inventory".into(), "main".into());
        let _running = Shutdown::new().drop_guard();
        Self(Arc::new(Inner {
            node,
            realm,
            shared,
            cache: CredentialCache::new(&rng),
            freshness: Freshness::new(&rng),
            resolver: Resolver::new(authority, clock.clone(), &rng),
            clock,
            rng,
            client,
            tokens,
            _running,
        }))
    }

    async fn loaded(&self, nodes: &Url) -> Result<(), ConnectError> {
        if tokio::time::timeout(FIRST_SNAPSHOT, self.0.shared.loaded()).await.is_ok() {
            return Ok(());
        }
        // A refused token says more than a silent feed.
        self.token_for(FLEET).await?;
        Err(ConnectError::Feed(nodes.clone()))
    }
}

fn endpoint(issuer: &Url) -> Result<Url, ConnectError> {
    let endpoint = format!("{}/oauth2/token", issuer.as_str().trim_end_matches('/'));
    endpoint.parse().map_err(|_| ConnectError::Address(issuer.clone()))
}

struct FleetToken(Tokens);

impl TokenSource for FleetToken {
    fn token(&self) -> Pin<Box<dyn Future<Output = Result<Secret, durward_node::TokenError>> + Send + '_>> {
        Box::pin(async {
            let token = self.0.token(FLEET).await.map_err(|error| durward_node::TokenError(error.to_string()))?;
            Ok((*token).clone())
        })
    }

    fn refused(&self) {
        self.0.forget_all(FLEET);
    }
}
