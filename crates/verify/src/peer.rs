//! Calls from service to service: a token of our own for the peer's audience, and the transaction handed on.

use std::sync::Arc;

use bytes::Bytes;
use durward_base::Secret;
use durward_net::Client;
use http::{HeaderValue, Method, Request, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::exchange::{Exchanged, Subject};
use crate::tokens::Tokens;
use crate::{Authenticated, TokenError, Transaction};

/// Largest answer taken from a peer, in bytes.
const ANSWER: usize = 1024 * 1024;

/// Another service, called with tokens made for it.
#[derive(Clone)]
pub struct Peer {
    pub(crate) service: String,
    pub(crate) base: Url,
    pub(crate) client: Client,
    pub(crate) tokens: Tokens,
    pub(crate) exchanged: Exchanged,
    /// On whose behalf; none for the service's own.
    pub(crate) subject: Option<Subject>,
}

/// What a peer answered, with a status of success.
#[derive(Debug, Clone)]
pub struct Answer {
    service: String,
    /// The status.
    pub status: StatusCode,
    /// The body.
    pub body: Bytes,
}

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no token to call with.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The peer cannot be reached.
    #[error("{service} cannot be reached: {cause}")]
    Unreachable {
        /// The peer.
        service: String,
        /// What failed.
        cause: String,
    },
    /// The peer says no.
    #[error("{service} refuses: {status} {code}")]
    Refused {
        /// The peer.
        service: String,
        /// The status.
        status: StatusCode,
        /// The problem's code, when it gave one.
        code: String,
    },
    /// The peer's answer is not what was asked for.
    #[error("{service} answers what cannot be read: {cause}")]
    Unreadable {
        /// The peer.
        service: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl Peer {
    /// The same peer, called on the caller's behalf: its tokens name the caller as the subject and this service as the actor (RFC 8693). The
    /// service's client must be declared for token exchange.
    #[must_use]
    pub fn on_behalf_of(&self, caller: &Authenticated) -> Self {
        Self { subject: Some(Subject::of(caller)), ..self.clone() }
    }

    /// `GET path` as part of the transaction.
    pub async fn get(&self, path: &str, transaction: &Transaction) -> Result<Answer, CallError> {
        self.call(Method::GET, path, Bytes::new(), transaction).await
    }

    /// `POST path` with a JSON body, as part of the transaction.
    pub async fn post(&self, path: &str, body: &impl Serialize, transaction: &Transaction) -> Result<Answer, CallError> {
        let body = serde_json::to_vec(body).map_err(|error| self.unreadable(&error))?;
        self.call(Method::POST, path, body.into(), transaction).await
    }

    /// One call. A token refused as such is replaced once: it may have been revoked together with others, and its successor be good.
    async fn call(&self, method: Method, path: &str, body: Bytes, transaction: &Transaction) -> Result<Answer, CallError> {
        let token = self.token(transaction).await?;
        match self.send(method.clone(), path, body.clone(), transaction, token.expose()).await {
            Err(CallError::Refused { status: StatusCode::UNAUTHORIZED, .. }) => {
                match &self.subject {
                    Some(subject) => self.exchanged.forget(subject, &self.service),
                    None => self.tokens.forget(&self.service, &token),
                }
                let token = self.token(transaction).await?;
                self.send(method, path, body, transaction, token.expose()).await
            }
            answered => answered,
        }
    }

    async fn token(&self, transaction: &Transaction) -> Result<Arc<Secret>, TokenError> {
        match &self.subject {
            Some(subject) => self.exchanged.token(&self.tokens, subject, &self.service, transaction).await,
            None => self.tokens.token(&self.service).await,
        }
    }

    async fn send(&self, method: Method, path: &str, body: Bytes, transaction: &Transaction, token: &str) -> Result<Answer, CallError> {
        let unreachable = |cause: String| CallError::Unreachable { service: self.service.clone(), cause };
        let url = self.base.join(path).map_err(|error| unreachable(error.to_string()))?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {token}")).map_err(|error| unreachable(error.to_string()))?;
        authorization.set_sensitive(true);
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = url.as_str().parse().map_err(|_| unreachable(format!("{url} is no URL to call")))?;
        *request.headers_mut() = transaction.headers();
        request.headers_mut().insert(header::AUTHORIZATION, authorization);
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answer = self.client.call(request, ANSWER).await.map_err(|error| unreachable(error.to_string()))?;
        let (status, body) = (answer.status(), answer.into_body());
        if status.is_success() {
            return Ok(Answer { service: self.service.clone(), status, body });
        }
        Err(CallError::Refused { service: self.service.clone(), status, code: code(&body) })
    }

    fn unreadable(&self, error: &serde_json::Error) -> CallError {
        CallError::Unreadable { service: self.service.clone(), cause: error.to_string() }
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| CallError::Unreadable { service: self.service.clone(), cause: error.to_string() })
    }
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Peer({} at {})", self.service, self.base)
    }
}

/// The `code` of an RFC 9457 problem, as far as it is a plain word.
fn code(body: &[u8]) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let code = problem.as_ref().and_then(|problem| problem.get("code")).and_then(|code| code.as_str()).unwrap_or_default();
    code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect()
}
