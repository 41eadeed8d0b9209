//! Browsers' sessions: the gateway is the client that people log in to (OpenID Connect Core section 3.1), and what it is given for them goes
//! back to the browser sealed into a cookie. Nothing is kept here that another gateway could not do without.

mod answer;
mod backchannel;
mod begin;
mod callback;
mod cookie;
mod fetch_metadata;
mod foreign;
mod id_token;
mod known;
mod logout;
mod party;
mod provider;
mod renew;
mod session;
mod taken_in;

use axum::body::Body;
use durward_base::{Duration, Rng, Secret};
use durward_enforce::{CompiledRoute, Head, Refusal, Routed, View};
use durward_model::{CredentialKind, EventKind};
use durward_net::{Client, Incoming, Problem};
use durward_seal::{BrowserMarks, StateKeys};
use http::{HeaderValue, Response, StatusCode, header};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::gateway::Gateway;
use crate::record::Trail;
use backchannel::Ended;
use cookie::Cookie;
use party::Party;
pub use provider::ForeignProvider;
use renew::Renewals;

/// Where the gateway's own addresses begin. No route is asked about them.
const OWN: &str = "/.durward/";

/// People's logins at one realm.
#[derive(Debug, Clone)]
pub struct BrowserSettings {
    /// The realm's name.
    pub realm: String,
    /// Who logs people in: the realm's own issuer as browsers reach it, or another OpenID provider.
    pub issuer: String,
    /// The realm's issuer as this process reaches it.
    pub reached_at: String,
    /// What must be known of another provider.
    pub foreign: Option<ForeignProvider>,
    /// The client that the gateway is there.
    pub client: String,
    /// Its secret.
    pub secret: Secret,
    /// How long a session may lie unused; 24 hours at most.
    pub idle: Duration,
}

/// The sessions of all realms that have any.
pub(crate) struct Browsers {
    parties: Vec<Party>,
    keys: StateKeys,
    marks: BrowserMarks,
    http: Client,
    public_url: Url,
    renewals: Renewals,
    ended: Ended,
    rng: Rng,
}

impl Browsers {
    pub(crate) fn new(
        settings: Vec<BrowserSettings>,
        (keys, marks): (StateKeys, BrowserMarks),
        http: Client,
        public_url: Url,
        rng: Rng,
    ) -> Self {
        let parties = settings.into_iter().map(Party::new).collect();
        Self { parties, keys, marks, http, public_url, renewals: Renewals::default(), ended: Ended::default(), rng }
    }

    fn party(&self, realm: &str) -> Option<&Party> {
        self.parties.iter().find(|party| party.settings.realm == realm)
    }

    /// The origin of the gateway under one of its names: that of `host` where a route is for it, else its own. Never what a request says.
    fn origin(&self, host: Option<&str>) -> String {
        let mut url = self.public_url.clone();
        if let Some(host) = host {
            // A route's host was checked when it was compiled; one that is no host leaves the gateway's own.
            let _ = url.set_host(Some(host));
        }
        url.origin().ascii_serialization()
    }

    /// The origin that a request of the gateway's own addresses came to.
    fn origin_of(&self, view: &View, head: &Head<'_>) -> String {
        let host = head.host();
        let named = view.routes().iter().any(|route| route.resource().host.as_deref() == Some(&host));
        self.origin(named.then_some(host.as_str()))
    }

    /// Whether a request may use the session whose cookie it carries. Browsers send cookies whoever made them send the request.
    ///
    /// # Errors
    /// `ForeignOrigin` when it may change something and no page of ours sent it.
    pub(crate) fn must_be_ours(&self, routed: &Routed, head: &Head<'_>) -> Result<(), Refusal> {
        fetch_metadata::must_be_ours(head, || self.origin(routed.route().resource().host.as_deref()))
    }

    /// The login that would lift a refusal, where the one who asks is a browser that shows a page: a redirect to where people log in.
    /// Scripts are told 401 and decide for themselves.
    pub(crate) fn login_instead(&self, gateway: &Gateway, route: &CompiledRoute, head: &Head<'_>, refusal: &Refusal) -> Option<Problem> {
        let lifts = match refusal {
            Refusal::NoCredential => true,
            Refusal::Token(error) => renew::another_login_lifts(error) && head.header("authorization").next().is_none(),
            refusal => refusal.step_up().is_some(),
        };
        let accepts = route.resource().accept.contains(&CredentialKind::BrowserSession);
        if !(lifts && accepts && fetch_metadata::is_navigation(head)) {
            return None;
        }
        let party = self.party(route.realm())?;
        let origin = self.origin(route.resource().host.as_deref());
        if party.provider.as_ref().is_some_and(|provider| provider.known().is_none()) {
            let query = Serializer::new(String::new()).append_pair("realm", route.realm()).append_pair("return_to", head.target).finish();
            let login = format!("{OWN}login?{query}");
            return Some(answer::redirect_problem(refusal.reason(), &login, None));
        }
        let wanted = begin::Wanted { origin, return_to: head.target.to_owned(), step_up: refusal.step_up().copied() };
        let (url, cookie) = self.begin(gateway, party, head, wanted).ok()?;
        Some(answer::redirect_problem(refusal.reason(), &url, Some(cookie)))
    }

    /// Answers a request for one of the gateway's own addresses.
    pub(crate) async fn answer(
        &self,
        gateway: &Gateway,
        own: Own,
        head: &Head<'_>,
        body: Incoming,
        trail: &mut Trail<'_>,
    ) -> Result<Response<Body>, Problem> {
        trail.own(own.kind(), head.path());
        if !own.takes(head.method) {
            let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This address does not take this method.");
            return Err(problem.header(header::ALLOW, HeaderValue::from_static(own.methods())));
        }
        match own {
            Own::Login => self.login(gateway, head).await,
            Own::Callback => self.callback(gateway, head, trail).await,
            Own::Logout => self.logout(gateway, head, trail).await,
            Own::Session => self.session(gateway, head, trail).await,
            Own::Backchannel => self.backchannel(gateway, body, trail).await,
        }
    }

    /// The party whose session's cookie a request carries, with the cookie's value.
    fn presented<'h>(&self, head: &Head<'h>) -> Option<(&Party, &'h str)> {
        self.parties.iter().find_map(|party| Some((party, Cookie::Session.read(&party.settings.realm, head)?)))
    }
}

/// One of the gateway's own addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    Login,
    Callback,
    Logout,
    Session,
    Backchannel,
}

impl Own {
    /// The one of this path.
    pub(crate) fn of(path: &str) -> Option<Self> {
        Some(match path.strip_prefix(OWN)? {
            "login" => Self::Login,
            callback if callback == "callback" || callback.starts_with("callback/") => Self::Callback,
            "logout" => Self::Logout,
            "session" => Self::Session,
            "backchannel-logout" => Self::Backchannel,
            _ => return None,
        })
    }

    const fn kind(self) -> EventKind {
        match self {
            Self::Login => EventKind::BrowserLoginBegun,
            Self::Callback => EventKind::BrowserLoginEnded,
            Self::Logout => EventKind::BrowserLoggedOut,
            Self::Session => EventKind::BrowserSessionRead,
            Self::Backchannel => EventKind::LogoutReceived,
        }
    }

    const fn methods(self) -> &'static str {
        match self {
            Self::Login | Self::Callback | Self::Session => "GET",
            Self::Logout => "GET, POST",
            Self::Backchannel => "POST",
        }
    }

    fn takes(self, method: &str) -> bool {
        self.methods().split(", ").any(|known| known == method)
    }
}

fn bad(code: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, detail)
}
