//! The driver that answers `Ask`: one question to the authority for a credential, however many requests present it at once.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use bytes::Bytes;
use durward_base::{Clock, Duration, Rng, SecretBytes, Timestamp};
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
    mac: hmac::Key,
    state: Mutex<State>,
}

/// A question's MAC under a key of this process. A wrong password is often the right one of another place, and is not kept.
type Question = [u8; 32];

/// What those who ask at one time wait for together.
type Answer = OnceCell<Result<Resolution, CannotResolve>>;

/// A question that was not answered yet, and how many wait for the answer.
#[derive(Default)]
struct Asked {
    answer: Arc<Answer>,
    waiting: usize,
}

#[derive(Default)]
struct State {
    asking: HashMap<Question, Asked>,
    refused: HashMap<Question, Timestamp>,
}

/// One who waits for an answer. Whoever hears it first, or goes away last, makes an end of the question: clients may leave at any time.
struct Asking<'a> {
    resolver: &'a Resolver,
    question: Question,
    answer: Arc<Answer>,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut state = self.resolver.lock();
        let Some(asked) = state.asking.get_mut(&self.question).filter(|asked| Arc::ptr_eq(&asked.answer, &self.answer)) else { return };
        asked.waiting -= 1;
        if asked.waiting == 0 || self.answer.initialized() {
            state.asking.remove(&self.question);
        }
    }
}

/// How long a refusal holds: what was refused hardly ever comes to count.
const REFUSED: Duration = Duration::from_secs(5);
/// The most refusals that are remembered.
const MOST_REFUSED: usize = 4_096;
/// The most bytes of an answer.
const ANSWER: usize = 64 * 1024;

impl Resolver {
    /// A driver that asks `authority`.
    pub fn new(authority: Arc<dyn Resolve>, clock: Clock, rng: &Rng) -> Self {
        Self { authority, clock, mac: hmac::Key::new(hmac::HMAC_SHA256, &rng.bytes::<32>()), state: Mutex::default() }
    }

    /// What the authority says of a credential.
    ///
    /// # Errors
    /// `CannotResolve`: nothing may be concluded about the credential.
    pub async fn ask(&self, request: &ResolveRequest) -> Result<Resolution, CannotResolve> {
        let question = self.question(request)?;
        let asking = {
            let mut state = self.lock();
            if state.refused.get(&question).is_some_and(|until| self.clock.now() < *until) {
                return Ok(Resolution::Refused);
            }
            let asked = state.asking.entry(question).or_default();
            asked.waiting += 1;
            Asking { resolver: self, question, answer: Arc::clone(&asked.answer) }
        };
        let answer = asking.answer.get_or_init(|| self.authority.resolve(request)).await.clone();
        drop(asking);
        let mut state = self.lock();
        if answer == Ok(Resolution::Refused) {
            let now = self.clock.now();
            if state.refused.len() >= MOST_REFUSED {
                state.refused.retain(|_, until| now < *until);
            }
            if state.refused.len() < MOST_REFUSED {
                state.refused.insert(question, now + REFUSED);
            }
        }
        answer
    }

    fn question(&self, request: &ResolveRequest) -> Result<Question, CannotResolve> {
        let text = serde_json::to_vec(request).map_err(|error| CannotResolve(error.to_string()))?;
        let text = SecretBytes::new(text);
        let mut question = Question::default();
        question.copy_from_slice(hmac::sign(&self.mac, text.expose()).as_ref());
        Ok(question)
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
