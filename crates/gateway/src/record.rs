//! Step 7. One event a request, built up along the way: denials and failures on disk before the answer, allows queued.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use durward_base::{EventId, Timestamp};
use durward_enforce::{CompiledRoute, Decision, Refusal, Routed, Verified};
use durward_model::event::StepName;
use durward_model::{Event, EventKind, Outcome, event};
use durward_net::{Asked, Hop, Problem};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use crate::accept::Client;
use crate::decide::Passage;
use crate::gateway::Gateway;
use crate::refusal::DPOP_NONCE;
use crate::terms;

pub(crate) const LISTENER: &str = "gateway";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request's event while the request lasts. Dropped before it is closed, it says that the client went away.
pub(crate) struct Trail<'a> {
    gateway: &'a Gateway,
    id: EventId,
    /// The id as the upstream and the client are told it.
    pub(crate) request: String,
    event: Option<Event>,
    /// What the answer says the next DPoP proof is to carry.
    nonce: Option<String>,
    /// The id that the client gave, where it is to hear it again.
    echo: Option<HeaderValue>,
    /// What the answer says besides, in place of the upstream's own.
    fields: Vec<(HeaderName, HeaderValue)>,
    show_decision: bool,
    /// What the answer sets beside the upstream's own.
    cookie: Option<HeaderValue>,
    hop: Hop,
    method: Method,
    asked: Asked,
    tls: bool,
    /// Whether it came to the host that browsers are to come to over encrypted connections alone, over one.
    strict: bool,
    began: Instant,
    lap: Instant,
}

impl<'a> Trail<'a> {
    /// Opens the event of a request, which begins a transaction or takes up the one that its `traceparent` names.
    pub(crate) fn open(gateway: &'a Gateway, method: &Method, headers: &HeaderMap, client: &Client, now: Timestamp) -> Self {
        let id = gateway.ids.next(now);
        let mut event = Event::new(id, now, Arc::clone(&gateway.node), EventKind::Unrouted);
        let hop = Hop::open(id, &gateway.node, method, headers);
        event.chain.transaction = Some(hop.trace_id().to_owned());
        event.steps.reserve_exact(6);
        event.request = Some(event::Request {
            method: method.as_str().get(..16).unwrap_or(method.as_str()).to_owned(),
            address: client.address.clone(),
            ..event::Request::default()
        });
        let began = Instant::now();
        Self {
            gateway,
            id,
            request: id.to_string(),
            event: Some(event),
            nonce: None,
            echo: None,
            fields: Vec::new(),
            show_decision: false,
            cookie: None,
            hop,
            method: method.clone(),
            asked: Asked::by(headers),
            tls: client.tls,
            strict: false,
            began,
            lap: began,
        }
    }

    /// Lets the answer say which nonce the next DPoP proof is to carry.
    pub(crate) fn renew_nonce(&mut self, nonce: Option<String>) {
        self.nonce = nonce;
    }

    /// What the upstream is told of its place in the trace.
    pub(crate) fn traceparent(&self) -> &str {
        self.hop.traceparent()
    }

    /// The host that was asked is known.
    pub(crate) fn of_host(&mut self, authority: &str) {
        self.strict = self.tls && self.gateway.strict_transport.is_at(authority);
    }

    /// The gateway itself answers, at an address of its own.
    pub(crate) fn own(&mut self, kind: EventKind, path: &str) {
        self.read(path);
        self.edit(|event| event.kind = kind);
    }

    /// Lets the answer set a cookie.
    pub(crate) fn set_cookie(&mut self, cookie: Option<HeaderValue>) {
        self.cookie = cookie;
    }

    /// The realm, once the route is known.
    pub(crate) fn realm(&self) -> Option<&str> {
        self.event.as_ref()?.realm.as_deref()
    }

    /// Fills in what has become known.
    pub(crate) fn edit(&mut self, change: impl FnOnce(&mut Event)) {
        if let Some(event) = &mut self.event {
            change(event);
        }
    }

    /// Ends a step.
    pub(crate) fn step(&mut self, step: StepName) {
        let now = Instant::now();
        let micros = u32::try_from(now.duration_since(self.lap).as_micros()).unwrap_or(u32::MAX);
        self.lap = now;
        self.edit(|event| event.steps.push((step, micros)));
    }

    /// The route is known, and with it the path is one that can be read in one way only.
    pub(crate) fn routed(&mut self, routed: &Routed, path: &str) {
        self.of_route(routed.route(), path);
    }

    /// The same of the route alone.
    pub(crate) fn of_route(&mut self, route: &CompiledRoute, path: &str) {
        self.edit(|event| {
            event.kind = EventKind::Forwarded;
            event.realm = Some(Arc::clone(route.realm()));
            if let Some(request) = &mut event.request {
                path.clone_into(&mut request.path);
                request.route = Some(Arc::clone(route.name()));
            }
        });
    }

    /// Lets the answer repeat the id that the client gave its request.
    pub(crate) fn echo(&mut self, id: Option<&[u8]>) {
        self.echo = id.filter(|id| id.len() <= 128).and_then(|id| HeaderValue::from_bytes(id).ok());
    }

    /// Lets the answer say so, too.
    pub(crate) fn say(&mut self, fields: impl IntoIterator<Item = (HeaderName, HeaderValue)>) {
        self.fields.extend(fields);
    }

    /// Lets the answer say which rule decided.
    pub(crate) const fn show_decision(&mut self, show: bool) {
        self.show_decision = show;
    }

    /// A document is answered, and nothing forwarded.
    pub(crate) fn read(&mut self, path: &str) {
        self.edit(|event| {
            event.kind = EventKind::DocumentRead;
            if let Some(request) = &mut event.request {
                path.clone_into(&mut request.path);
            }
        });
    }

    /// The caller is known.
    pub(crate) fn proved(&mut self, verified: &Verified) {
        self.edit(|event| {
            event.caller = Some(Arc::clone(verified.caller()));
            let credential = &verified.principal().credential;
            event.chain.family.clone_from(&credential.family);
            event.chain.session.clone_from(&credential.session);
        });
    }

    /// It was decided that the request may pass.
    pub(crate) fn permitted(&mut self, passage: &Passage, decision: &Arc<Decision>) {
        self.edit(|event| {
            event.decided = Some(Arc::clone(decision));
            if let Some(request) = &mut event.request {
                request.audience = passage.verified.as_ref().map(|_| Arc::clone(passage.route.service()));
            }
        });
    }

    /// It was sent to a host, and to another before that did not answer.
    pub(crate) fn forwarded(&mut self, host: Option<Arc<str>>, before: Option<(Arc<str>, String)>) {
        self.edit(|event| {
            if let Some(request) = &mut event.request {
                request.upstream = host;
            }
            if let Some((before, why)) = before {
                event.say(format!("sent again, for {before} did not do: {why}"));
            }
        });
    }

    /// The request passes, and would have been answered so.
    pub(crate) fn would_answer(&mut self, problem: &Problem) {
        self.edit(|event| {
            event.outcome = Outcome::WouldDeny;
            event.reason = Some(problem.code().to_owned());
            event.detail = Some(problem.detail().to_owned());
        });
    }

    /// The request passes, and would have been refused.
    pub(crate) fn would_refuse(&mut self, refusal: &Refusal) {
        self.edit(|event| {
            event.outcome = Outcome::WouldDeny;
            event.reason = Some(refusal.reason().to_owned());
            event.detail = Some(refusal.to_string());
        });
    }

    /// The request is refused.
    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        self.edit(|event| {
            event.detail = Some(refusal.to_string());
            if let Refusal::Denied(denial) = refusal {
                event.decided = Some(Arc::clone(&denial.decision));
            }
        });
    }

    /// Closes the event with the answer, and names the request in it. What must be on disk is, once this returns.
    pub(crate) async fn close(&mut self, answer: Result<Response<Body>, Problem>) -> Response<Body> {
        let Some(mut event) = self.event.take() else { return unrecorded().render(Some(self.id)) };
        let (mut response, code) = match answer {
            Ok(response) => (response, None),
            Err(problem) => (problem.answer(&self.asked, self.id), Some(problem.code().to_owned())),
        };
        let is_own = code.is_some() || event.kind != EventKind::Forwarded;
        let status = response.status();
        if let Some(request) = &mut event.request {
            request.status = status.as_u16();
        }
        if let Some(code) = code {
            event.outcome = if status.is_server_error() { Outcome::Failed } else { Outcome::Denied };
            self.gateway.metrics.refused(LISTENER, &code);
            event.reason = Some(code);
        }
        let shown = event.decided.as_ref().filter(|_| self.show_decision).and_then(|decided| terms::shown(decided));
        self.fields.extend(shown);
        let route = event.request.as_ref().and_then(|request| request.route.clone());
        self.hop.ended(&self.method, route.as_deref(), status.as_u16(), event.reason.as_deref());
        if self.gateway.shared.journal().record(event).await.is_err() {
            response = unrecorded().render(Some(self.id));
        }
        if let Some(id) = self.echo.take().or_else(|| HeaderValue::try_from(std::mem::take(&mut self.request)).ok()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        for (name, value) in self.fields.drain(..) {
            // What the answer depends on besides stands beside it (RFC 9110 section 12.5.5).
            if name == header::VARY {
                response.headers_mut().append(name, value);
            } else {
                response.headers_mut().insert(name, value);
            }
        }
        if let Some(nonce) = self.nonce.take().and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
            response.headers_mut().insert(DPOP_NONCE, nonce);
        }
        if let Some(cookie) = self.cookie.take() {
            response.headers_mut().append(header::SET_COOKIE, cookie);
            // RFC 9111 section 7.3: a stored answer would hand the session to others.
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if is_own {
            self.gateway.strict_transport.complete(response.headers_mut(), self.strict);
        }
        let endpoint = route.as_deref().unwrap_or("(none)");
        self.gateway.metrics.answered(LISTENER, endpoint, response.status().as_u16(), self.began.elapsed().as_secs_f64());
        response
    }
}

impl Drop for Trail<'_> {
    fn drop(&mut self) {
        if let Some(mut event) = self.event.take() {
            event.outcome = Outcome::Failed;
            event.reason = Some("client_gone".to_owned());
            let route = event.request.as_ref().and_then(|request| request.route.as_deref());
            self.hop.ended(&self.method, route, 0, event.reason.as_deref());
            // Queued here; there is nobody left to wait for the disk.
            drop(self.gateway.shared.journal().record(event));
        }
    }
}

fn unrecorded() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "audit_unavailable", "The audit record cannot be written, so nothing is answered.")
        .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}
