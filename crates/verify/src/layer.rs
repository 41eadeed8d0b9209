//! The tower layer: steps 3 to 5 and 7 of a request, by the gateway's own code, around a service's own routes.

use std::borrow::Cow;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath};
use axum::response::IntoResponse;
use durward_base::{Duration, EventId, Secret, Timestamp};
use durward_enforce::{
    Circumstances, Consumer, CredentialError, Evidence, Head, Known, Possession, Presented, Proved, Refusal, must_be_fresh,
    must_not_be_cross_site,
};
use durward_model::event::StepName;
use durward_model::resolve::ResolveRequest;
use durward_model::{CredentialKind, Event, EventKind, Outcome, event};
use durward_net::{Hop, PeerCertificate, Problem, Recorder};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tower::{Layer, Service};

use crate::refusal::{DPOP_NONCE, problem};
use crate::transaction::REQUEST_ID;
use crate::verifier::Inner;
use crate::{Authenticated, Transaction, Verifier};

/// How old what is known may be before nothing is verified by it. As long as an access token lives: whatever was revoked unheard of has ended by
/// itself by then. A gateway's route says its own bound (`max_staleness_seconds`, 60 by default), as it stands in front of many services; a service has no
/// declaration of its own to say one in.
const STALE: Duration = Duration::from_secs(300);

/// Lets pass only requests with a good credential for one audience.
#[derive(Clone)]
pub struct VerifyLayer {
    verifier: Verifier,
    audience: Arc<str>,
    public_url: Option<Arc<str>>,
    accepted: Arc<[CredentialKind]>,
}

/// A way in that a service takes beside tokens when it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Further {
    /// API keys.
    ApiKey,
    /// Names with passwords (RFC 7617).
    Basic,
}

/// A service under the layer.
#[derive(Clone)]
pub struct Verified<S> {
    inner: S,
    layer: VerifyLayer,
}

impl VerifyLayer {
    pub(crate) fn new(verifier: Verifier, audience: &str) -> Self {
        Self { verifier, audience: audience.into(), public_url: None, accepted: ACCEPTED.into() }
    }

    /// Says where the service is reached without a gateway, without a trailing slash: `https://inventory.example`. A DPoP proof must name the
    /// address it is for (RFC 9449 section 4.3); as long as none is said, tokens that are bound to a DPoP key are refused.
    #[must_use]
    pub fn reached_at(self, public_url: &str) -> Self {
        Self { public_url: Some(public_url.trim_end_matches('/').into()), ..self }
    }

    /// Takes these beside tokens. Only for a service that is [reached](Self::reached_at) over TLS by whoever sends them: at any other they are
    /// refused, since whoever listens on the way knows them.
    #[must_use]
    pub fn also_accepting(self, further: &[Further]) -> Self {
        let further = further.iter().map(|further| match further {
            Further::ApiKey => CredentialKind::ApiKey,
            Further::Basic => CredentialKind::Basic,
        });
        Self { accepted: ACCEPTED.into_iter().chain(further).collect(), ..self }
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = Verified<S>;

    fn layer(&self, inner: S) -> Verified<S> {
        Verified { inner, layer: self.clone() }
    }
}

impl<S, B> Service<Request<B>> for Verified<S>
where
    S: Service<Request<B>, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was polled ready is the one to call.
        let waiting = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, waiting);
        let layer = self.layer.clone();
        Box::pin(async move {
            let pass = Pass::open(&layer.verifier, &request);
            let response = match pass.admit(&layer, request).await {
                Ok(request) => ready.call(request).await?.into_response(),
                Err(problem) => problem.into_response(),
            };
            Ok(pass.close(response).await)
        })
    }
}

/// The ways in that every service takes: tokens, bearer or bound, and those that the authority is asked about.
const ACCEPTED: [CredentialKind; 3] = [CredentialKind::Jwt, CredentialKind::BoundToken, CredentialKind::OpaqueToken];

/// What is known of a request's credential.
enum Outlook {
    /// It counts.
    Known(Box<Authenticated>),
    /// The authority must be asked.
    Ask(ResolveRequest),
}

/// One request on its way through the layer. Dropped before it is closed, its event says that the caller went away.
struct Pass {
    verifier: Verifier,
    recorder: Recorder,
    transaction: Transaction,
    hop: Hop,
    method: Method,
    now: Timestamp,
    /// What the answer says the next DPoP proof is to carry.
    nonce: OnceLock<String>,
    closed: bool,
}

impl Pass {
    fn open<B>(verifier: &Verifier, request: &Request<B>) -> Self {
        let now = verifier.0.clock.now();
        let id = EventId::new(now, &verifier.0.rng);
        let hop = Hop::open(id, &verifier.0.node, request.method(), request.headers());
        let (transaction, chain) = Transaction::of(id, &hop, request.headers());
        let mut event = Event::new(id, now, Arc::clone(&verifier.0.node), EventKind::ServiceRequest);
        event.chain = chain;
        event.request = Some(event::Request {
            method: request.method().as_str().chars().take(16).collect(),
            path: request.uri().path().chars().take(1024).collect(),
            route: request.extensions().get::<MatchedPath>().map(|route| route.as_str().into()),
            address: address(request).map(|address| address.ip().to_canonical().to_string()),
            ..event::Request::default()
        });
        let (verifier, method) = (verifier.clone(), request.method().clone());
        Self { verifier, recorder: Recorder::new(event), transaction, hop, method, now, nonce: OnceLock::new(), closed: false }
    }

    /// Verifies the credential and leaves the extractors' values in the request.
    async fn admit<B>(&self, layer: &VerifyLayer, request: Request<B>) -> Result<Request<B>, Problem> {
        let address = address(&request).map(|address| address.ip().to_canonical());
        let (mut parts, body) = request.into_parts();
        let authenticated = self.authenticate(layer, &parts, Circumstances { now: self.now, address, known_browser: None }).await;
        let authenticated = authenticated.map_err(|refusal| {
            self.recorder.edit(|event| event.detail = Some(refusal.to_string()));
            problem(&refusal, &self.verifier.0.realm, &layer.accepted)
        })?;
        parts.extensions.insert(authenticated);
        parts.extensions.insert(self.transaction.clone());
        Ok(Request::from_parts(parts, body))
    }

    /// Verifies the credential; over the next view, once the authority has said what no view could.
    async fn authenticate(&self, layer: &VerifyLayer, parts: &Parts, circumstances: Circumstances) -> Result<Authenticated, Refusal> {
        let request = match self.verify(layer, parts, circumstances)? {
            Outlook::Known(authenticated) => return Ok(*authenticated),
            Outlook::Ask(request) => request,
        };
        let Inner { shared, cache, resolver, .. } = &*self.verifier.0;
        let began = Instant::now();
        let answer = resolver.ask(&request).await.map_err(|error| Refusal::CannotResolve(error.0))?;
        self.step(StepName::Resolve, began);
        cache.take_in(&shared.view(), &request, &answer)?;
        match self.verify(layer, parts, circumstances)? {
            Outlook::Known(authenticated) => Ok(*authenticated),
            Outlook::Ask(_) => Err(Refusal::CannotResolve("what it said did not last".to_owned())),
        }
    }

    fn verify(&self, layer: &VerifyLayer, parts: &Parts, circumstances: Circumstances) -> Result<Outlook, Refusal> {
        let Inner { shared, cache, freshness, realm, .. } = &*self.verifier.0;
        let began = Instant::now();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let head = Head::new(&parts.method, target, "", &parts.headers);
        let presented = Presented::read(&head, realm).map_err(Refusal::Credential)?.ok_or(Refusal::NoCredential)?;
        let evidence = presented.evidence(&layer.accepted).map_err(Refusal::Credential)?;
        let over_tls = layer.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
        if matches!(evidence, Evidence::Lookup(CredentialKind::ApiKey | CredentialKind::Basic, _)) && !over_tls {
            return Err(Refusal::Credential(CredentialError::InTheClear));
        }
        if let Evidence::Lookup(CredentialKind::Basic, _) = evidence {
            must_not_be_cross_site(&head, layer.public_url.as_deref().unwrap_or_default(), &[]).map_err(Refusal::Credential)?;
        }
        self.step(StepName::Credential, began);
        must_be_fresh(shared.age(self.now), STALE).map_err(Refusal::CannotVerify)?;
        let began = Instant::now();
        let view = shared.view();
        let address = layer.public_url.as_ref().map(|base| Cow::Owned(format!("{base}{}", head.path())));
        let certificate = parts.extensions.get::<PeerCertificate>().map(PeerCertificate::der);
        let possession = Possession::of(&head, address.into_iter().collect(), certificate, freshness);
        let consumer = Consumer::service(realm, &layer.audience).from(circumstances.address);
        let Proved { verified, admitted, asked: _ } =
            match cache.prove_or_ask(&view, &consumer, (evidence, &possession), self.now).map_err(Refusal::Token)? {
                Known::Proved(proved) => proved,
                Known::Ask(request) => return Ok(Outlook::Ask(request)),
            };
        verified.must_be_within_bounds(None, circumstances.address, self.now).map_err(Refusal::Bounds)?;
        admitted.and_then(|admitted| admitted.nonce).into_iter().for_each(|nonce| drop(self.nonce.set(nonce)));
        self.step(StepName::Principal, began);
        self.recorder.edit(|event| {
            event.realm = Some(Arc::clone(realm));
            event.caller = Some(Arc::clone(verified.caller()));
            event.chain.family.clone_from(&verified.principal().credential.family);
            event.chain.session.clone_from(&verified.principal().credential.session);
        });
        // A key or a password is exchanged for nothing: what it is worth ends here.
        let token = Arc::new(Secret::new(match evidence {
            Evidence::Token(token) => token.text,
            Evidence::Lookup(CredentialKind::OpaqueToken, text) => text,
            Evidence::Lookup(..) => "",
        }));
        let authenticated = Authenticated { view: Arc::clone(&view), verified, token, circumstances, recorder: self.recorder.clone() };
        Ok(Outlook::Known(Box::new(authenticated)))
    }

    /// Settles the event, puts it on disk where it must be, and names the request in the answer.
    async fn close(mut self, mut response: Response<Body>) -> Response<Body> {
        let id = self.recorder.id();
        let mut problem = response.extensions_mut().remove::<Problem>();
        if problem.is_none() && self.is_undecided() && !is_error(response.status()) {
            problem = Some(undecided());
        }
        if let Some(problem) = &problem {
            response = problem.render(Some(id));
        }
        self.recorder.edit(|event| settle(event, response.status(), problem.as_ref()));
        self.end();
        self.closed = true;
        if self.verifier.0.shared.journal().record(self.recorder.event()).await.is_err() {
            response = unrecorded().render(Some(id));
        }
        if let Ok(value) = HeaderValue::try_from(id.to_string()) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        if let Some(value) = self.nonce.take().and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
            response.headers_mut().insert(DPOP_NONCE, value);
        }
        response
    }

    /// Ends the hop as the event says.
    fn end(&self) {
        self.recorder.edit(|event| {
            let (route, status) = event.request.as_ref().map_or((None, 0), |request| (request.route.as_deref(), request.status));
            self.hop.ended(&self.method, route, status, event.reason.as_deref());
        });
    }

    fn is_undecided(&self) -> bool {
        self.recorder.event().decided.is_none()
    }

    fn step(&self, step: StepName, began: Instant) {
        let micros = u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX);
        self.recorder.edit(|event| event.steps.push((step, micros)));
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.closed {
            self.recorder.edit(|event| {
                event.outcome = Outcome::Failed;
                event.reason = Some("client_gone".to_owned());
            });
            self.end();
            // Queued here; there is nobody left to wait for the disk.
            drop(self.verifier.0.shared.journal().record(self.recorder.event()));
        }
    }
}

/// What the status says about how it ended. A problem of the service's own, after the caller was allowed, is the service's business.
fn settle(event: &mut Event, status: StatusCode, problem: Option<&Problem>) {
    if let Some(request) = &mut event.request {
        request.status = status.as_u16();
    }
    event.outcome = match status {
        status if status.is_server_error() => Outcome::Failed,
        status if status.is_client_error() => Outcome::Denied,
        _ => Outcome::Allowed,
    };
    if event.outcome != Outcome::Allowed {
        let code = problem.map_or_else(|| format!("status_{}", status.as_u16()), |problem| problem.code().to_owned());
        event.reason = Some(code);
        if let (None, Some(problem)) = (&event.detail, problem) {
            event.detail = Some(problem.detail().to_owned());
        }
    }
}

/// Deny by default: the handler forgot to ask.
fn undecided() -> Problem {
    let detail = "The handler answered without asking whether the caller may: call allow_any, require or authorize first.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "undecided", detail)
}

fn unrecorded() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "audit_unavailable", "The audit record cannot be written, so nothing is answered.")
        .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

fn address<B>(request: &Request<B>) -> Option<SocketAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| *address)
}

#[cfg(test)]
mod tests;
