//! A surface: the endpoints of one audience behind one listener. Around every call: its id, its host, its rate, its access, its one audit event,
//! its metrics, and a panic that stays inside it.

mod paths;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use durward_base::{Clock, EventId, Rng};
use durward_model::{AccessClass, Event, EventKind, Outcome, RateClass, event};
use futures_util::FutureExt as _;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use tower::ServiceExt as _;
use tracing::Instrument as _;

use self::paths::Paths;
use crate::http1::{coding, expectation};
use crate::prompt::Prompt;
use crate::record::Draft;
use crate::{
    Answer, Asked, Endpoint, Hop, HttpMetrics, Incoming, Peer, Problem, Rates, Record, Recorder, Refused, StrictTransport, Unserved,
    Windows, endpoint, target,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Characters of a path that are recorded: nobody fills the disk with one who has proved nothing yet.
const PATH: usize = 1024;

/// Whether a request may reach an endpoint of a class that is not decided by the handler itself.
pub trait Gate: Send + Sync + 'static {
    /// Lets the request pass (leaving who called in its extensions and in the recorder), or answers it.
    fn admit<'a>(
        &'a self,
        access: AccessClass,
        parts: &'a mut Parts,
        recorder: &'a Recorder,
    ) -> Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>>;
}

/// The gate of surfaces whose handlers authenticate: documents, browsers, clients.
pub struct Open;

impl Gate for Open {
    fn admit<'a>(
        &'a self,
        _: AccessClass,
        _: &'a mut Parts,
        _: &'a Recorder,
    ) -> Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// What a surface is made of.
pub struct SurfaceSettings {
    /// The listener's name in metrics: `authority`, `admin`, `nodes`, `operations`.
    pub listener: &'static str,
    /// The node's name in events.
    pub node: Arc<str>,
    /// `host` or `host:port` values served; others get 421. Empty: any (a Unix socket).
    pub hosts: Vec<String>,
    /// For how long browsers are told to come by TLS alone.
    pub strict_transport: StrictTransport,
    /// Who decides about the classes that handlers do not.
    pub gate: Arc<dyn Gate>,
    /// Where events go.
    pub record: Arc<dyn Record>,
    /// Counters.
    pub metrics: HttpMetrics,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
}

/// A surface, ready to be served.
#[derive(Clone)]
pub struct Surface(Arc<Inner>);

struct Inner {
    settings: SurfaceSettings,
    router: Router,
    rows: Paths<(&'static str, Vec<Row>)>,
    rates: Rates,
}

struct Row {
    method: &'static str,
    access: AccessClass,
    rate: RateClass,
    event: EventKind,
}

/// What an answer has to know of who asked for it.
#[derive(Clone, Copy, Default)]
struct Caller {
    asked: Asked,
    /// Whether it came over an encrypted connection, to the host that browsers are to come to by such alone.
    strict: bool,
}

/// The row that a request matched, found by its path before its body is looked at.
#[derive(Clone, Copy)]
struct Matched {
    path: &'static str,
    access: AccessClass,
    rate: RateClass,
    event: EventKind,
}

impl Surface {
    /// A surface of these endpoints.
    pub fn new(settings: SurfaceSettings, endpoints: Vec<Endpoint>) -> Self {
        let mut rows: Paths<(&'static str, Vec<Row>)> = Paths::default();
        for Endpoint { method, path, access, rate, event, .. } in &endpoints {
            let (_, of_path) = rows.at(path).get_or_insert((path, Vec::new()));
            of_path.push(Row { method, access: *access, rate: *rate, event: *event });
        }
        let router = endpoint::router(endpoints.into_iter().map(|row| (row.path, row.route)));
        Self(Arc::new(Inner { settings, router, rows, rates: Rates::default() }))
    }

    /// What answers one connection.
    pub fn connection(&self, peer: Peer) -> SurfaceConnection {
        SurfaceConnection { surface: self.clone(), peer }
    }

    /// What becomes of its listener's connections that never bring a request.
    pub fn unserved(&self) -> Unserved {
        let SurfaceSettings { listener, node, record, metrics, clock, rng, .. } = &self.0.settings;
        Unserved {
            listener,
            node: Arc::clone(node),
            record: Arc::clone(record),
            metrics: metrics.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
            windows: Windows::default(),
        }
    }

    /// Answers one request.
    pub async fn call(&self, peer: Peer, mut request: Request<Body>) -> Response {
        let started = Instant::now();
        let Inner { settings, .. } = &*self.0;
        let now = settings.clock.now();
        let id = EventId::new(now, &settings.rng);
        let matched = self.matched(request.method(), request.uri().path());
        let hop = Hop::open(id, &settings.node, request.method(), request.headers());
        let strict = peer.tls && host(&request).is_some_and(|host| settings.strict_transport.is_at(host));
        let (method, caller) = (request.method().clone(), Caller { asked: Asked::by(request.headers()), strict });
        let mut event = self.opened(id, &peer, &request, matched);
        event.chain.transaction = Some(hop.trace_id().to_owned());
        let recorder = Recorder::new(event);
        request.extensions_mut().insert(peer.clone());
        request.extensions_mut().insert(recorder.clone());
        let span = tracing::info_span!("request", %id, endpoint = matched.map_or("(none)", |matched| matched.path));
        let answered = AssertUnwindSafe(self.answer(peer, request, matched, &recorder)).catch_unwind().instrument(span).await;
        let response = answered.unwrap_or_else(|_| {
            tracing::error!(request = %id, "a handler panicked");
            respond(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong here; the request id names it in the audit record.",
            ))
        });
        let (response, reason) = self.close((id, caller), matched, started, response, recorder).await;
        hop.ended(&method, matched.map(|matched| matched.path), response.status().as_u16(), reason.as_deref());
        response
    }

    /// Answers what is no request.
    async fn refuse(&self, peer: &Peer, refused: Refused) -> Response {
        let (started, settings) = (Instant::now(), &self.0.settings);
        let now = settings.clock.now();
        let id = EventId::new(now, &settings.rng);
        let mut event = Event::new(id, now, Arc::clone(&settings.node), EventKind::Unrouted);
        let (path, address) = ("(none)".to_owned(), peer.ip().map(|ip| ip.to_string()));
        event.request = Some(event::Request { path, address, ..event::Request::default() });
        self.close((id, Caller::default()), None, started, respond(refused.into()), Recorder::new(event)).await.0
    }

    async fn answer(&self, peer: Peer, request: Request<Body>, matched: Option<Matched>, recorder: &Recorder) -> Response {
        match self.admitted(peer, request, matched, recorder).await {
            Ok(request) => self.0.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {}),
            Err(problem) => respond(problem),
        }
    }

    /// What is asked of every request before its handler: host, rate, path, access.
    async fn admitted(
        &self,
        peer: Peer,
        request: Request<Body>,
        matched: Option<Matched>,
        recorder: &Recorder,
    ) -> Result<Request<Body>, Problem> {
        let Inner { settings, rates, .. } = &*self.0;
        if !settings.hosts.is_empty()
            && !host(&request).is_some_and(|host| settings.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)))
        {
            return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", "This server does not answer for that host."));
        }
        if let (Some(requested), Some(host)) = (&peer.requested, host(&request)) {
            requested.must_cover(host)?;
        }
        let Some(matched) = matched else { return Err(self.unmatched(request.uri().path())) };
        if let Some(ip) = peer.ip() {
            rates.count(matched.rate, ip, settings.clock.now()).map_err(|wait| {
                let seconds = HeaderValue::from(wait.as_secs() + 1);
                Problem::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too_many_requests",
                    "Too many requests from this network; wait as long as Retry-After says.",
                )
                .header(header::RETRY_AFTER, seconds)
            })?;
        }
        target::must_be_text(request.uri().path())?;
        expectation(request.headers())?;
        coding(request.headers(), request.body())?;
        let (mut parts, body) = request.into_parts();
        settings.gate.admit(matched.access, &mut parts, recorder).await?;
        Ok(Request::from_parts(parts, body))
    }

    fn matched(&self, method: &Method, path: &str) -> Option<Matched> {
        let (pattern, rows) = self.0.rows.find(path)?;
        let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
        let row = rows.iter().find(|row| row.method == method)?;
        Some(Matched { path: pattern, access: row.access, rate: row.rate, event: row.event })
    }

    /// There is nothing at that address, or nothing that this method does.
    fn unmatched(&self, path: &str) -> Problem {
        let Some((_, rows)) = self.0.rows.find(path) else {
            return Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.");
        };
        let methods = rows.iter().flat_map(|row| if row.method == "GET" { vec!["GET", "HEAD"] } else { vec![row.method] });
        let methods = methods.collect::<Vec<_>>().join(", ");
        let problem =
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This address does not do that; Allow says what it does.");
        HeaderValue::try_from(methods).into_iter().fold(problem, |problem, methods| problem.header(header::ALLOW, methods))
    }

    fn opened(&self, id: EventId, peer: &Peer, request: &Request<Body>, matched: Option<Matched>) -> Event {
        let settings = &self.0.settings;
        let kind = matched.map_or(EventKind::Unrouted, |matched| matched.event);
        let mut event = Event::new(id, settings.clock.now(), Arc::clone(&settings.node), kind);
        event.request = Some(event::Request {
            method: request.method().as_str().chars().take(16).collect(),
            path: matched.map_or_else(|| "(none)".to_owned(), |_| request.uri().path().chars().take(PATH).collect()),
            route: matched.map(|matched| matched.path.into()),
            address: peer.ip().map(|ip| ip.to_string()),
            ..event::Request::default()
        });
        event
    }

    /// Names the request in its answer, records its event (before the answer, where it must be), and counts it. Gives the event's reason along.
    async fn close(
        &self,
        (id, caller): (EventId, Caller),
        matched: Option<Matched>,
        started: Instant,
        mut response: Response,
        recorder: Recorder,
    ) -> (Response, Option<String>) {
        let Inner { settings, .. } = &*self.0;
        let problem = response.extensions_mut().remove::<Problem>();
        if let Some(problem) = &problem {
            response = problem.answer(&caller.asked, id);
        }
        recorder.edit(|event| settle(event, response.status(), problem.as_ref()));
        let Draft { event, committed } = recorder.finish();
        let reason = event.reason.clone();
        if !committed {
            if let (Some(reason), true) = (&event.reason, event.outcome != Outcome::Allowed) {
                settings.metrics.refused(settings.listener, reason);
            }
            if settings.record.record(event).await.is_err() {
                response = Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "audit_unavailable",
                    "The audit record cannot be written, so nothing is answered.",
                )
                .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
                .render(Some(id));
            }
        }
        if let Ok(value) = HeaderValue::try_from(id.to_string()) {
            // One that the handler gives is the caller's own, which it has asked to hear again.
            response.headers_mut().entry(REQUEST_ID).or_insert(value);
        }
        settings.strict_transport.complete(response.headers_mut(), caller.strict);
        let endpoint = matched.map_or("(none)", |matched| matched.path);
        settings.metrics.answered(settings.listener, endpoint, response.status().as_u16(), started.elapsed().as_secs_f64());
        (response, reason)
    }
}

/// A surface, to one connection.
pub struct SurfaceConnection {
    surface: Surface,
    peer: Peer,
}

impl Answer for SurfaceConnection {
    type Body = Body;

    async fn answer(&self, request: Request<Incoming>) -> Response {
        let (surface, peer) = (self.surface.clone(), self.peer.clone());
        ToItsEnd(Some(Box::pin(async move { surface.call(peer, request.map(|body| Body::new(Prompt::new(body)))).await }))).await
    }

    async fn refuse(&self, refused: Refused) -> Response {
        self.surface.refuse(&self.peer, refused).await
    }
}

/// A call that goes on in a task of its own when the client leaves: what was begun is decided and recorded, once.
struct ToItsEnd<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out, so that one which panics is not begun again.
        let Some(mut call) = self.0.take() else { return Poll::Pending };
        let answer = call.as_mut().poll(context);
        if answer.is_pending() {
            self.0 = Some(call);
        }
        answer
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        if let (Some(call), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(call);
        }
    }
}

/// What the status says about how it ended, where the handler did not say it better.
fn settle(event: &mut Event, status: StatusCode, problem: Option<&Problem>) {
    if let Some(request) = &mut event.request {
        request.status = status.as_u16();
    }
    if let (None, Some(problem)) = (&event.reason, problem) {
        event.reason = Some(problem.code().to_owned());
    }
    if event.outcome == Outcome::Allowed {
        if status.is_server_error() {
            event.outcome = Outcome::Failed;
        } else if status.is_client_error() {
            event.outcome = Outcome::Denied;
        }
        if event.outcome != Outcome::Allowed && event.reason.is_none() {
            event.reason = Some(format!("status_{}", status.as_u16()));
        }
    }
}

fn respond(problem: Problem) -> Response {
    problem.into_response()
}

fn host(request: &Request<Body>) -> Option<&str> {
    let mut named = request.headers().get_all(header::HOST).iter();
    match (request.uri().authority(), named.next(), named.next()) {
        (_, _, Some(_)) => None,
        (Some(authority), None, _) => Some(authority.as_str()),
        (Some(authority), Some(host), _) => (authority.as_str().as_bytes() == host.as_bytes()).then_some(authority.as_str()),
        (None, host, _) => host?.to_str().ok(),
    }
}

#[cfg(test)]
mod tests;
