//! The driver that answers `Ask`: one question to the authority for a credential, however many requests present it at once.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use durward_base::{Clock, Duration, Timestamp};
use durward_model::resolve::{Resolution, ResolveRequest};
use durward_net::Client;
use http::{Request, StatusCode, header};
use tokio::sync::OnceCell;
use url::Url;

use crate::TokenSource;

/// The authority could not be asked, or gave no answer; the text says why, for the log. Whether the credential counts is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the authority gives no answer about the credential: {0}")]
pub struct CannotResolve(pub String);

/// What an answer comes in.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = Result<Resolution, CannotResolve>> + Send + 'a>>;

/// Whoever knows the answer: the authority in this process, or the one at the other end of the wire.
pub trait Resolve: Send + Sync + 'static {
    /// Asks about a credential.
    fn resolve<'a>(&'a self, request: &'a ResolveRequest) -> Resolving<'a>;
}

/// Asks once for what many ask at the same time, and for what is refused not again at once.
pub struct Resolver {
    authority: Arc<dyn Resolve>,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asking: HashMap<ResolveRequest, Arc<OnceCell<Result<Resolution, CannotResolve>>>>,
    refused: HashMap<ResolveRequest, Timestamp>,
}

/// How long a refusal holds: what was refused hardly ever comes to count.
const REFUSED: Duration = Duration::from_secs(5);
/// The most refusals that are remembered.
const MOST_REFUSED: usize = 4_096;
/// The most bytes of an answer.
const ANSWER: usize = 64 * 1024;

impl Resolver {
    /// A driver that asks `authority`.
    pub fn new(authority: Arc<dyn Resolve>, clock: Clock) -> Self {
        Self { authority, clock, state: Mutex::default() }
    }

    /// What the authority says of a credential.
    ///
    /// # Errors
    /// `CannotResolve`: nothing may be concluded about the credential.
    pub async fn ask(&self, request: &ResolveRequest) -> Result<Resolution, CannotResolve> {
        let asking = {
            let mut state = self.lock();
            if state.refused.get(request).is_some_and(|until| self.clock.now() < *until) {
                return Ok(Resolution::Refused);
            }
            Arc::clone(state.asking.entry(request.clone()).or_default())
        };
        let answer = asking.get_or_init(|| self.authority.resolve(request)).await.clone();
        let mut state = self.lock();
        if state.asking.get(request).is_some_and(|present| Arc::ptr_eq(present, &asking)) {
            state.asking.remove(request);
        }
        if answer == Ok(Resolution::Refused) {
            let now = self.clock.now();
            if state.refused.len() >= MOST_REFUSED {
                state.refused.retain(|_, until| now < *until);
            }
            if state.refused.len() < MOST_REFUSED {
                state.refused.insert(request.clone(), now + REFUSED);
            }
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The authority at the other end of the wire: `POST /internal/v1/resolve` on its nodes listener.
pub struct RemoteAuthority {
    /// The nodes listener: `https://authority:8446`.
    pub authority: Url,
    /// The client that trusts the authority's roots.
    pub client: Client,
    /// The node's access token for the fleet's audience.
    pub token: Arc<dyn TokenSource>,
}

impl Resolve for RemoteAuthority {
    fn resolve<'a>(&'a self, request: &'a ResolveRequest) -> Resolving<'a> {
        Box::pin(async move {
            let cannot = |cause: &dyn std::fmt::Display| CannotResolve(cause.to_string());
            let bearer = self.token.token().await.map_err(|error| cannot(&error))?;
            let mut url = self.authority.clone();
            url.set_path("/internal/v1/resolve");
            let body = serde_json::to_vec(request).map_err(|error| cannot(&error))?;
            let call = Request::post(url.as_str())
                .header(header::AUTHORIZATION, format!("Bearer {}", bearer.expose()))
                .header(header::CONTENT_TYPE, "application/json")
                .body(Bytes::from(body))
                .map_err(|error| cannot(&error))?;
            let answer = self.client.call(call, ANSWER).await.map_err(|error| cannot(&error))?;
            match answer.status() {
                StatusCode::OK => serde_json::from_slice(answer.body()).map_err(|error| cannot(&error)),
                status => {
                    if status == StatusCode::UNAUTHORIZED {
                        self.token.refused();
                    }
                    Err(cannot(&format!("it answered {status}")))
                }
            }
        })
    }
}

/// Nobody to ask.
pub struct NoAuthority;

impl Resolve for NoAuthority {
    fn resolve<'a>(&'a self, _: &'a ResolveRequest) -> Resolving<'a> {
        Box::pin(std::future::ready(Err(CannotResolve("this node knows no authority to ask".to_owned()))))
    }
}

#[cfg(test)]
mod tests;
