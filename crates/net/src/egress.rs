//! Calls to URLs that somebody else named: one guarded way out.
//!
//! The name is resolved once and the connection goes to an address that was judged (so that a second answer of the name server changes
//! nothing), redirects are answers like any other, time and size are bounded, and nothing that was said to one host is reused for another.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use durward_base::Duration;
use durward_model::egress_url::{EgressError, EgressRules, EgressUrl};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use tokio::net::TcpStream;
use tokio::sync::{OnceCell, Semaphore};

use crate::client::over_tls;
use crate::{ClientError, TlsError, Trust};

/// The whole of a call, from the name to the last byte.
const WHOLE: Duration = Duration::from_secs(5);
/// Calls at one time; others wait within their own five seconds.
const AT_ONCE: usize = 32;

/// Why a guarded call came to nothing. Says nothing about what stands at the address.
#[derive(Debug, thiserror::Error)]
pub enum GuardedError {
    /// The URL or an address its host resolves to is not one that is called.
    #[error(transparent)]
    Refused(#[from] EgressError),
    /// The host has no address.
    #[error("the host cannot be resolved")]
    Unresolved,
    /// The roots to trust cannot be read.
    #[error("no roots to trust: {0}")]
    Roots(#[from] TlsError),
    /// The call failed.
    #[error(transparent)]
    Failed(#[from] ClientError),
    /// An answer other than success: redirects are not followed.
    #[error("answered with status {0}")]
    Status(StatusCode),
}

/// The guarded way out. A handle: clones share one.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    rules: EgressRules,
    /// Roots beside the system's.
    roots: Vec<u8>,
    trust: OnceCell<Trust>,
    calls: Semaphore,
}

impl Egress {
    /// A way out under these rules. It trusts the system's roots and those given in PEM (which may be empty); they are read at the first
    /// call.
    pub fn new(rules: EgressRules, roots: Vec<u8>) -> Self {
        Self(Arc::new(Inner { rules, roots, trust: OnceCell::new(), calls: Semaphore::new(AT_ONCE) }))
    }

    /// The rules, to judge a URL when it is registered.
    pub fn rules(&self) -> EgressRules {
        self.0.rules
    }

    /// Reads what stands at a URL: the body of a 200 answer, of `limit` bytes at most.
    ///
    /// # Errors
    /// When the URL is not called, the call fails, or the answer is not 200.
    pub async fn get(&self, url: &EgressUrl, accept: &'static str, limit: usize) -> Result<Response<Bytes>, GuardedError> {
        let mut request = Request::new(Bytes::new());
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(accept));
        let response = self.call(url, request, limit).await?;
        if response.status() == StatusCode::OK { Ok(response) } else { Err(GuardedError::Status(response.status())) }
    }

    /// Posts a body; any 2xx is success, and the answer's body is not read beyond 16 KiB.
    ///
    /// # Errors
    /// When the URL is not called, the call fails, or the answer is no success.
    pub async fn post(&self, url: &EgressUrl, mut request: Request<Bytes>) -> Result<(), GuardedError> {
        *request.method_mut() = Method::POST;
        let response = self.call(url, request, 16 * 1024).await?;
        if response.status().is_success() { Ok(()) } else { Err(GuardedError::Status(response.status())) }
    }

    /// Sends a request as it is; the body of whatever is answered, of `limit` bytes at most.
    ///
    /// # Errors
    /// When the URL is not called, or the call fails.
    pub async fn call(&self, url: &EgressUrl, request: Request<Bytes>, limit: usize) -> Result<Response<Bytes>, GuardedError> {
        let call = async {
            let _turn = self.0.calls.acquire().await.map_err(|_| GuardedError::Unresolved)?;
            let address = self.resolve(url).await?;
            self.exchange(url, address, request, limit).await
        };
        tokio::time::timeout(WHOLE, call).await.map_err(|_| ClientError::Timeout(WHOLE))?
    }

    /// One address of the host. One that is not permitted among others spoils them all: a public name has no business pointing inside.
    async fn resolve(&self, url: &EgressUrl) -> Result<SocketAddr, GuardedError> {
        self.0.rules.check(url)?;
        let host = url.host().trim_start_matches('[').trim_end_matches(']');
        let mut first = None;
        for address in tokio::net::lookup_host((host, url.port())).await.map_err(|_| GuardedError::Unresolved)? {
            if !self.0.rules.permit(address.ip()) {
                return Err(EgressError::Address.into());
            }
            first = first.or(Some(address));
        }
        first.ok_or(GuardedError::Unresolved)
    }

    async fn exchange(
        &self,
        url: &EgressUrl,
        address: SocketAddr,
        request: Request<Bytes>,
        limit: usize,
    ) -> Result<Response<Bytes>, GuardedError> {
        let trust = self.0.trust.get_or_try_init(|| async { Trust::system(&self.0.roots) }).await?;
        let failed = |cause| ClientError::Connect { origin: url.host().to_owned(), cause };
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        let mut sender = over_tls(trust, url.host(), stream).await?;
        let (mut parts, body) = request.into_parts();
        let uri: Uri = url.as_str().parse().map_err(|_| ClientError::Url)?;
        parts.uri = uri.path_and_query().map_or_else(|| Uri::from_static("/"), |target| Uri::from(target.clone()));
        let host = match url.port() {
            443 => url.host().to_owned(),
            port => format!("{}:{port}", url.host()),
        };
        parts.headers.insert(header::HOST, HeaderValue::try_from(host).map_err(|_| ClientError::Url)?);
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        let response = sender.send_request(Request::from_parts(parts, Full::new(body))).await.map_err(ClientError::Exchange)?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, limit).collect().await.map_err(|_| ClientError::Body(limit))?.to_bytes();
        Ok(Response::from_parts(parts, body))
    }
}
