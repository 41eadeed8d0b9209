//! The gateway: a listener whose requests go through the seven steps.

use std::sync::Arc;

use axum::body::Body;
use durward_base::{Clock, Duration, Rng, Timestamp};
use durward_enforce::{
    CannotVerify, Circumstances, Evidence, Freshness, Head, IdentityIssuer, Known, Permitted, Possession, Proved, Refusal, RouteError,
    Routed, View,
};
use durward_model::CredentialKind;
use durward_model::event::StepName;
use durward_model::resolve::ResolveRequest;
use durward_model::resource::Mode;
use durward_net::{
    Answer, Bound, HttpMetrics, Incoming, Limits, ListenerTls, Problem, Record, Refused, Shutdown, StrictTransport, Unserved, Windows,
};
use durward_node::{Resolve, Shared};
use durward_seal::{BrowserMarks, StateKeys};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use rustls::pki_types::CertificateDer;
use url::Url;

use crate::accept::{Client, accept};
use crate::access_evaluation;
use crate::browser::{BrowserSettings, Browsers, Own};
use crate::certificate::KnownAuthorities;
use crate::credential::credential;
use crate::decide::{Passage, decide};
use crate::forward::{Passing, forward};
use crate::front::told;
use crate::grpc;
use crate::lookups::Lookups;
use crate::principal::{address, principal};
use crate::rate::Rates;
use crate::record::{LISTENER, Trail};
use crate::refusal::problem;
use crate::request_id::RequestIds;
use crate::resource_metadata;
use crate::route::route;
use crate::settings::GatewaySettings;
use crate::terms;
use crate::upstream::{UpstreamStatus, Upstreams};

/// A gateway. Its routes, keys, policies and revocations are those of the shared view at each request, so that a reload drops nothing.
pub struct Gateway {
    pub(crate) node: Arc<str>,
    pub(crate) limits: Limits,
    pub(crate) shared: Shared<View>,
    pub(crate) lookups: Lookups,
    browsers: Option<Browsers>,
    pub(crate) freshness: Freshness,
    pub(crate) public_url: Option<Url>,
    pub(crate) strict_transport: StrictTransport,
    pub(crate) mode: Mode,
    pub(crate) rates: Rates,
    pub(crate) fronts: Vec<CertificateDer<'static>>,
    pub(crate) withhold: Vec<String>,
    pub(crate) metrics: HttpMetrics,
    pub(crate) clock: Clock,
    pub(crate) rng: Rng,
    pub(crate) ids: RequestIds,
    pub(crate) identity: IdentityIssuer,
    pub(crate) upstreams: Upstreams,
}

/// What steps 3 and 4 come to.
enum Proof {
    /// It is known who asks; nobody, on a public route.
    Of(Option<Proved>),
    /// The authority must be asked about the credential.
    Ask(ResolveRequest),
}

/// The gateway, to one connection.
struct Connection {
    gateway: Arc<Gateway>,
    client: Client,
}

impl Answer for Connection {
    type Body = Body;

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        self.gateway.answer(&self.client, request).await
    }

    async fn refuse(&self, refused: Refused) -> Response<Body> {
        self.gateway.refuse(&self.client, refused).await
    }
}

/// What steps 2 to 5 come to.
enum Decided {
    /// The request may pass.
    Permitted(Permitted<Passage>),
    /// Its credential is one that the authority must be asked about.
    Ask(ResolveRequest, Passage),
}

impl Gateway {
    /// A gateway that signs identities with `identity`, whose key the authority must know.
    pub fn new(
        settings: GatewaySettings,
        shared: Shared<View>,
        identity: IdentityIssuer,
        metrics: HttpMetrics,
        clock: Clock,
        rng: Rng,
    ) -> Self {
        Self {
            node: format!("gateway/{}", settings.name).into(),
            limits: settings.limits,
            lookups: Lookups::new(shared.clone(), clock.clone(), &rng, settings.credential_cache),
            shared,
            browsers: None,
            freshness: Freshness::new(&rng),
            public_url: settings.public_url,
            strict_transport: settings.strict_transport,
            mode: settings.mode,
            rates: Rates::default(),
            fronts: settings.fronts,
            withhold: settings.withhold,
            metrics,
            upstreams: Upstreams::new(settings.upstreams, clock.clone()),
            clock,
            ids: RequestIds::new(rng.clone()),
            rng,
            identity,
        }
    }

    /// The same, asking this authority about credentials that no view can verify. Without one, they are answered with 503.
    #[must_use]
    pub fn resolving_with(self, authority: Arc<dyn Resolve>) -> Self {
        Self { lookups: self.lookups.resolving_with(authority, self.clock.clone(), &self.rng), ..self }
    }

    /// The same, where people log in with browsers: sessions are sealed, and browsers known again, with `keys`, and `http` reaches the
    /// authority. Nothing without a public URL, to which they come back.
    #[must_use]
    pub fn with_browsers(self, settings: Vec<BrowserSettings>, keys: (StateKeys, BrowserMarks), http: durward_net::Client) -> Self {
        let browsers = self.public_url.clone().map(|url| Browsers::new(settings, keys, http, url, self.rng.clone()));
        Self { browsers, ..self }
    }

    /// The same, where certificates that these vouch for are a way in, beside those that clients are registered with.
    #[must_use]
    pub fn with_client_authorities(self, authorities: KnownAuthorities) -> Self {
        Self { lookups: self.lookups.with_client_authorities(authorities), ..self }
    }

    /// How many verified credentials it holds: for metrics.
    pub fn credentials(&self) -> usize {
        self.lookups.cache.len()
    }

    /// How the hosts that requests are forwarded to stand: for metrics.
    pub fn upstream_hosts(&self) -> Vec<UpstreamStatus> {
        self.upstreams.statuses()
    }

    /// Serves until shutdown, and then finishes what was begun, within `Limits::drain`.
    pub async fn serve(self: Arc<Self>, bound: Bound, tls: Option<ListenerTls>, shutdown: Shutdown) {
        let keeping = Arc::clone(&self);
        let keeper = tokio::spawn(async move { keeping.upstreams.keep(&keeping.shared).await });
        let (limits, unserved) = (self.limits, self.unserved());
        let service = move |peer| Connection { gateway: Arc::clone(&self), client: Client::from(peer) };
        durward_net::serve(bound, tls, limits, unserved, shutdown, service).await;
        keeper.abort();
    }

    /// What becomes of connections that never bring a request.
    pub(crate) fn unserved(&self) -> Unserved {
        let record: Arc<dyn Record> = Arc::new(self.shared.journal().clone());
        let (node, metrics, clock, rng) = (Arc::clone(&self.node), self.metrics.clone(), self.clock.clone(), self.rng.clone());
        Unserved { listener: LISTENER, node, record, metrics, clock, rng, windows: Windows::default() }
    }

    /// What is no request is refused, and on record.
    pub(crate) async fn refuse(&self, client: &Client, refused: Refused) -> Response<Body> {
        let method = Method::from_bytes(b"-").unwrap_or_default();
        Trail::open(self, &method, &HeaderMap::new(), client, self.clock.now()).close(Err(refused.into())).await
    }

    async fn answer(&self, client: &Client, request: Request<Incoming>) -> Response<Body> {
        let now = self.clock.now();
        let (parts, body) = request.into_parts();
        let behind = match self.is_front(client).then(|| told::client(&parts)).transpose() {
            Ok(behind) => behind,
            Err(problem) => return Trail::open(self, &parts.method, &parts.headers, client, now).close(Err(problem)).await,
        };
        let client = behind.as_ref().unwrap_or(client);
        let mut trail = Trail::open(self, &parts.method, &parts.headers, client, now);
        let answer = self.pass(&parts, body, client, now, &mut trail).await;
        let refused_call = answer.as_ref().err().filter(|_| grpc::is_call(&parts)).cloned();
        let response = trail.close(answer).await;
        match refused_call {
            Some(problem) => grpc::refused(response, &problem),
            None => response,
        }
    }

    /// Whether the connection is that of a proxy in front, by its certificate.
    fn is_front(&self, client: &Client) -> bool {
        client.certificate_der().is_some_and(|shown| self.fronts.iter().any(|front| front.as_ref() == shown))
    }

    /// The seven steps but the last. What few requests need is boxed, so that the future of all others is small: it is moved once.
    async fn pass(
        &self,
        parts: &Parts,
        body: Incoming,
        client: &Client,
        now: Timestamp,
        trail: &mut Trail<'_>,
    ) -> Result<Response<Body>, Problem> {
        let accepted = accept(parts)?;
        trail.of_host(accepted.authority);
        client.requested.as_ref().map_or(Ok(()), |requested| requested.must_cover(accepted.authority))?;
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let head = Head::new(&parts.method, target, accepted.authority, &parts.headers);
        if let Some(document) = resource_metadata::document(&self.shared.view(), self.public_url.as_ref(), &head) {
            trail.read(head.path());
            return Ok(document);
        }
        if let Some((browsers, own)) = self.browsers.as_ref().zip(Own::of(head.path())) {
            return Box::pin(browsers.answer(self, own, &head, body, trail)).await;
        }
        if let Some(asked) = access_evaluation::asked(&head) {
            return Box::pin(access_evaluation::answer(self, asked, (&head, body), now, trail)).await;
        }
        if let Some(answer) = terms::before(self, &head, client, now, trail)? {
            return Ok(answer);
        }
        let permitted = self.permit(&head, client, now, trail).await?;
        terms::after(self, permitted.get(), now, trail, &head)?;
        forward(self, permitted, Passing { parts, accepted: &accepted, body, client, now }, trail).await
    }

    /// Steps 2 to 5, over one view; over the next one, once the authority has said what no view could.
    pub(crate) async fn permit(
        &self,
        head: &Head<'_>,
        client: &Client,
        now: Timestamp,
        trail: &mut Trail<'_>,
    ) -> Result<Permitted<Passage>, Problem> {
        let mut decided = self.decided(head, client, now, trail);
        if let Ok(Decided::Ask(request, passage)) = &decided {
            decided = match Box::pin(self.resolve(request, client, now, trail)).await {
                Ok(()) => self.decided(head, client, now, trail),
                Err(refusal) => self.or_observed(refusal, passage.clone(), trail),
            };
        }
        let permitted = match decided {
            Ok(Decided::Permitted(permitted)) => Ok(permitted),
            Ok(Decided::Ask(..)) => Err(Refusal::CannotResolve("what it said did not last".to_owned())),
            Err(refusal) => Err(refusal),
        };
        permitted.map_err(|refusal| {
            trail.refused(&refusal);
            if let Some(login) = self.login_instead(head, &refusal) {
                return login;
            }
            let metadata = || resource_metadata::found_at(&self.shared.view(), self.public_url.as_ref(), head);
            let accepted = route(&self.shared.view(), head).map(|routed| routed.route().resource().accept.clone()).unwrap_or_default();
            problem(&refusal, (trail.realm().unwrap_or("durward"), &accepted), metadata)
        })
    }

    /// Asks the authority, and takes in what it says.
    async fn resolve(&self, request: &ResolveRequest, client: &Client, now: Timestamp, trail: &mut Trail<'_>) -> Result<(), Refusal> {
        if let Some(browsers) = self.browsers.as_ref().filter(|_| request.kind == CredentialKind::BrowserSession) {
            trail.set_cookie(browsers.resolve(self, request, now).await?);
            trail.step(StepName::Resolve);
            return Ok(());
        }
        let taken = self.lookups.ask(request, client.certificate.as_ref(), now).await;
        trail.step(StepName::Resolve);
        taken
    }

    fn decided(&self, head: &Head<'_>, client: &Client, now: Timestamp, trail: &mut Trail<'_>) -> Result<Decided, Refusal> {
        let view = self.shared.view();
        let routed = route(&view, head).map_err(|refusal| self.or_not_yet(refusal))?;
        trail.routed(&routed, head.path());
        trail.step(StepName::Route);
        let mut passage = Passage { route: Arc::clone(routed.route()), verified: None, asked: None };
        let permitted = match self.proved(&view, &routed, head, (client, now), trail) {
            Ok(Proof::Ask(request)) => return Ok(Decided::Ask(request, passage)),
            Ok(Proof::Of(proved)) => {
                (passage.verified, passage.asked) = proved.map_or((None, None), |proved| (Some(proved.verified), proved.asked));
                let asked = self.browsers.as_ref().zip(passage.verified.as_deref());
                let known_browser = asked.and_then(|(browsers, verified)| browsers.known(&view, head, verified));
                decide(&view, &routed, &passage, Circumstances { now, address: client.ip, known_browser })
            }
            Err(refusal) => Err(refusal),
        };
        let permitted = match permitted {
            Ok(permitted) => permitted,
            Err(refusal) => return self.or_observed(refusal, passage, trail),
        };
        trail.permitted(permitted.get(), permitted.decision());
        trail.step(StepName::Decide);
        Ok(Decided::Permitted(permitted))
    }

    /// Steps 3 and 4: who asks.
    fn proved(
        &self,
        view: &View,
        routed: &Routed,
        head: &Head<'_>,
        (client, now): (&Client, Timestamp),
        trail: &mut Trail<'_>,
    ) -> Result<Proof, Refusal> {
        let is_a_way_in = routed.route().resource().accept.contains(&CredentialKind::ClientCertificate);
        let thumbprint = client.certificate_der().filter(|_| is_a_way_in).map(durward_pki::thumbprint);
        let evidence = credential(head, routed, !client.tls, thumbprint.as_deref())?;
        if let (Some(Evidence::Lookup(CredentialKind::BrowserSession, _)), Some(browsers)) = (&evidence, &self.browsers) {
            browsers.must_be_ours(routed, head)?;
        }
        trail.step(StepName::Credential);
        let proved = match evidence {
            Some(evidence) => {
                // Only a proof names an address.
                let public_url = self.public_url.as_ref().filter(|_| head.header("dpop").next().is_some());
                let address = address(public_url, routed, head);
                let possession = Possession::of(head, address.into_iter().collect(), client.certificate_der(), &self.freshness);
                let proved = match principal(&self.shared, view, &self.lookups.cache, routed, (evidence, &possession), (client.ip, now))? {
                    Known::Proved(proved) => proved,
                    Known::Ask(request) => return Ok(Proof::Ask(request)),
                };
                trail.renew_nonce(proved.admitted.as_ref().and_then(|admitted| admitted.nonce.clone()));
                trail.proved(&proved.verified);
                Some(proved)
            }
            None => None,
        };
        trail.step(StepName::Principal);
        Ok(Proof::Of(proved))
    }

    /// Where a browser is sent that must log in first.
    fn login_instead(&self, head: &Head<'_>, refusal: &Refusal) -> Option<Problem> {
        let browsers = self.browsers.as_ref()?;
        let routed = route(&self.shared.view(), head).ok()?;
        browsers.login_instead(self, routed.route(), head, refusal)
    }

    /// A refusal, unless the route only observes.
    fn or_observed(&self, refusal: Refusal, passage: Passage, trail: &mut Trail<'_>) -> Result<Decided, Refusal> {
        let route = Arc::clone(&passage.route);
        let Some(permitted) = Permitted::observed(&route, self.mode, &refusal, passage) else { return Err(refusal) };
        trail.permitted(permitted.get(), permitted.decision());
        trail.would_refuse(&refusal);
        Ok(Decided::Permitted(permitted))
    }

    /// Before the first snapshot there is no route for anything: that is not the client's mistake.
    fn or_not_yet(&self, refusal: Refusal) -> Refusal {
        match refusal {
            Refusal::Route(RouteError::NotFound) if self.shared.position().is_none() => {
                Refusal::CannotVerify(CannotVerify { age: Duration::MAX, allowed: Duration::ZERO })
            }
            refusal => refusal,
        }
    }
}
