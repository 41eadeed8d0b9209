//! Calls from service to service: a token of our own for the peer's audience, and the transaction handed on.

use std::sync::Arc;

use bytes::Bytes;
use durward_base::Secret;
use durward_net::Client;
use http::{HeaderValue, Method, Request, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::{Position, Url};

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
    /// The path is none, or another one to those who read it in another way.
    #[error(
        "{service} is not called: the path must begin with one \"/\" and stand in its normal form, what is put into it percent-encoded"
    )]
    Path {
        /// The peer.
        service: String,
    },
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
        let url = within(&self.base, path).ok_or_else(|| CallError::Path { service: self.service.clone() })?;
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

/// Where a path leads at the base, and nowhere else: what is sent is what was given, byte for byte. Whatever a caller's text in it could
/// make of it would otherwise choose the host that is given the token (`//other.example`) or the resource (`..`).
fn within(base: &Url, path: &str) -> Option<Url> {
    let url = base.join(path).ok()?;
    (url.origin() == base.origin() && url[Position::BeforePath..Position::AfterQuery] == *path && url.fragment().is_none()).then_some(url)
}

/// The `code` of an RFC 9457 problem, as far as it is a plain word.
fn code(body: &[u8]) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let code = problem.as_ref().and_then(|problem| problem.get("code")).and_then(|code| code.as_str()).unwrap_or_default();
    code.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R10
    #[test]
    fn a_path_leads_nowhere_but_where_it_says() {
        let base: Url = "http://inventory.example:9003".parse().unwrap();
        for path in ["/", "/stock/lamp", "/stock/a%20lamp/reserve?now=1&x=%2F", "/stock/a:b@c"] {
            assert_eq!(within(&base, path).unwrap().as_str(), format!("http://inventory.example:9003{path}"));
        }
        for path in [
            "",
            "stock",
            "//other.example/stock",
            "/\\other.example/stock",
            "\\\\other.example",
            "https://other.example/stock",
            "/stock/../keys",
            "/stock/%2e%2e/keys",
            "/stock/./lamp",
            "/stock/\\..\\keys",
            "/stock/la mp",
            "/stock/la\tmp",
            "/stock/lamp\n",
            "/stock/lamp#/reserve",
            "/stock/l\u{e4}mp",
        ] {
            assert!(within(&base, path).is_none(), "{path:?}");
        }
    }
}
