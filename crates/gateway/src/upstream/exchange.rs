//! One request of a route: the choice of a host, the answer's head, and another host where the first one fails.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use durward_base::{Clock, Duration};
use durward_enforce::CompiledRoute;
use durward_net::Incoming;
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt as _;

use super::budget::RetryBudget;
use super::choose::{Draws, choose, ejected};
use super::host::Host;
use super::{Upload, UpstreamBody, UpstreamError, UpstreamSettings, UpstreamTimeouts};

/// A request as it goes out.
pub(crate) struct Outgoing<'a> {
    /// Its head as bytes for a host of this `Host`, complete with its framing and the empty line.
    pub(crate) head: &'a (dyn Fn(&str) -> Vec<u8> + Sync),
    pub(crate) method: &'a Method,
    pub(crate) payload: Payload,
    /// The protocol that the connection is to go on with, if the upstream agrees.
    pub(crate) upgrade: Option<&'a str>,
    /// Whether it has been sent once already.
    pub(crate) is_repeated: bool,
}

/// The body of a request.
pub(crate) enum Payload {
    /// All of it, perhaps nothing: it can be sent again.
    Whole(Bytes),
    /// It comes as it goes.
    Streamed(Incoming, Upload),
    /// It has gone.
    Gone,
}

/// Bodies of this size are held until the request is answered, where that lets it be sent again.
const HELD: u64 = 32 * 1024;

impl Payload {
    /// A request's body: whole where the request may be sent again and it is small, each piece within `idle`.
    pub(crate) async fn of(method: &Method, body: Incoming, framing: Option<Upload>, idle: Duration) -> Result<Self, UpstreamError> {
        match framing {
            None | Some(Upload::Length(0)) => Ok(Self::Whole(Bytes::new())),
            Some(Upload::Length(length)) if length <= HELD && is_idempotent(method) => whole(body, length, idle).await.map(Self::Whole),
            Some(framing) => Ok(Self::Streamed(body, framing)),
        }
    }
}

async fn whole(mut body: Incoming, length: u64, idle: Duration) -> Result<Bytes, UpstreamError> {
    let mut held = BytesMut::new();
    loop {
        let frame = tokio::time::timeout(idle, body.frame()).await.map_err(|_| UpstreamError::RequestBody)?;
        let Some(frame) = frame.transpose().map_err(|_| UpstreamError::RequestBody)? else { break };
        held.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
        if held.len() as u64 > length {
            return Err(UpstreamError::RequestBody);
        }
    }
    if held.len() as u64 == length { Ok(held.freeze()) } else { Err(UpstreamError::RequestBody) }
}

impl Outgoing<'_> {
    /// RFC 9110 section 9.2.2: "A client SHOULD NOT automatically retry a request with a non-idempotent method".
    pub(super) const fn may_be_repeated(&self) -> bool {
        !self.is_repeated && matches!(self.payload, Payload::Whole(_)) && is_idempotent(self.method)
    }
}

/// Whether doing it twice is doing it once.
const fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
}

/// What came of a request.
pub(crate) struct Exchanged {
    /// The host that was asked last; none when none was.
    pub(crate) host: Option<Arc<str>>,
    /// The host that was asked before it, and why that was not enough.
    pub(crate) before: Option<(Arc<str>, String)>,
    pub(crate) answer: Result<Response<UpstreamBody>, UpstreamError>,
}

/// The hosts of a route, and what is under way there.
pub(crate) struct Upstream {
    route: Arc<CompiledRoute>,
    hosts: Box<[Arc<Host>]>,
    pub(super) timeouts: UpstreamTimeouts,
    max_in_flight: u32,
    in_flight: AtomicU32,
    budget: RetryBudget,
    draws: Draws,
    /// Held while a host is judged, so that no two go at once.
    judging: Mutex<()>,
    clock: Clock,
}

impl Upstream {
    pub(super) fn new(route: &Arc<CompiledRoute>, hosts: Box<[Arc<Host>]>, settings: &UpstreamSettings, clock: Clock) -> Self {
        Self {
            hosts,
            timeouts: settings.timeouts.for_route(&route.resource().timeouts),
            max_in_flight: route.resource().max_in_flight.unwrap_or(settings.max_in_flight),
            route: Arc::clone(route),
            in_flight: AtomicU32::new(0),
            budget: RetryBudget::default(),
            draws: Draws::default(),
            judging: Mutex::default(),
            clock,
        }
    }

    /// Whether another state of the route says the same of its upstream.
    pub(super) fn is_of(&self, route: &CompiledRoute) -> bool {
        let (own, other) = (self.route.resource(), route.resource());
        own.upstream == other.upstream
            && (&own.upstream_tls, &own.upstream_name) == (&other.upstream_tls, &other.upstream_name)
            && (&own.timeouts, own.retries, own.max_in_flight) == (&other.timeouts, other.retries, other.max_in_flight)
            && own.health_check == other.health_check
    }

    /// How long things may take here.
    pub(crate) const fn timeouts(&self) -> UpstreamTimeouts {
        self.timeouts
    }

    /// Sends a request and takes the answer's head; once more where that can do good and no harm.
    pub(crate) async fn exchange(self: &Arc<Self>, mut request: Outgoing<'_>) -> Exchanged {
        self.budget.earn();
        let Some(ticket) = self.admit() else {
            return Exchanged { host: None, before: None, answer: Err(UpstreamError::Overloaded(self.max_in_flight)) };
        };
        let host = Arc::clone(&ticket.host);
        let answer = self.ask(&host, ticket, &mut request).await;
        let Some(next) = self.next(&host, &request, &answer) else {
            return Exchanged { host: Some(Arc::clone(&host.authority)), before: None, answer };
        };
        let why = match &answer {
            Ok(response) => format!("it answered {}", response.status().as_u16()),
            Err(error) => error.to_string(),
        };
        drop(answer);
        host.standing.retries.fetch_add(1, Ordering::Relaxed);
        request.is_repeated = true;
        let answer = self.ask(&next, Ticket::new(self, Arc::clone(&next)), &mut request).await;
        Exchanged { host: Some(Arc::clone(&next.authority)), before: Some((Arc::clone(&host.authority), why)), answer }
    }

    /// A place for one more request; none when there are too many.
    fn admit(self: &Arc<Self>) -> Option<Ticket> {
        let ticket = Ticket::new(self, Arc::clone(self.choose(None)?));
        (self.in_flight.load(Ordering::Relaxed) <= self.max_in_flight).then_some(ticket)
    }

    async fn ask(&self, host: &Host, ticket: Ticket, request: &mut Outgoing<'_>) -> Result<Response<UpstreamBody>, UpstreamError> {
        let answer = Host::exchange(ticket, request).await;
        let has_failed = match &answer {
            Ok(response) => response.status().is_server_error(),
            Err(error) => error.is_the_hosts(),
        };
        if has_failed {
            self.judge(host);
        } else {
            host.standing.succeeded();
        }
        answer
    }

    /// Passes over a host that has failed too often in a row, but never more than half of them.
    fn judge(&self, host: &Host) {
        if host.standing.failed() && self.hosts.len() > 1 {
            let now = self.clock.now();
            let _one_at_a_time = self.judging.lock().unwrap_or_else(PoisonError::into_inner);
            if !host.standing.is_ejected(now) && (ejected(&self.hosts, now) + 1) * 2 <= self.hosts.len() {
                host.standing.eject(now);
                tracing::warn!(host = &*host.authority, "an upstream has failed too often in a row and is passed over for a while");
            }
        }
    }

    /// Who is asked after a host that failed, if anybody is: another one where there is one. An answer is asked for again elsewhere alone.
    fn next(
        &self,
        failed: &Arc<Host>,
        request: &Outgoing<'_>,
        answer: &Result<Response<UpstreamBody>, UpstreamError>,
    ) -> Option<Arc<Host>> {
        let (may, is_same_worth_it) = match answer {
            // Whatever it would do, nothing of it has left.
            Err(error) if error.is_before_sending() => (true, true),
            Err(UpstreamError::Closed | UpstreamError::Broken(_)) => (request.may_be_repeated(), true),
            Ok(response) => (is_no_answer(response.status()) && request.may_be_repeated(), false),
            Err(_) => (false, false),
        };
        if !may || !self.route.resource().retries {
            return None;
        }
        let next = self.choose(Some(failed)).or_else(|| is_same_worth_it.then_some(failed)).cloned()?;
        self.budget.spend().then_some(next)
    }

    fn choose<'a>(&'a self, but: Option<&'a Arc<Host>>) -> Option<&'a Arc<Host>> {
        match (&*self.hosts, but) {
            // Usually there is nothing to choose, and no clock to look at.
            ([only], None) => Some(only),
            (hosts, but) => choose(hosts, but, self.clock.now(), &self.draws),
        }
    }
}

/// What says that another host may well answer.
const fn is_no_answer(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

/// A request under way: it counts at its route and at its host for as long as this lives.
pub(crate) struct Ticket {
    pub(super) upstream: Arc<Upstream>,
    pub(super) host: Arc<Host>,
}

impl Ticket {
    /// How long nothing may pass.
    pub(crate) fn idle(&self) -> Duration {
        self.upstream.timeouts.idle
    }

    fn new(upstream: &Arc<Upstream>, host: Arc<Host>) -> Self {
        upstream.in_flight.fetch_add(1, Ordering::Relaxed);
        host.begin();
        Self { upstream: Arc::clone(upstream), host }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.upstream.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.host.end();
    }
}
