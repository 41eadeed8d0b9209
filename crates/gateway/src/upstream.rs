//! RFC 9112, the client's side: exchanges with upstreams over kept-alive HTTP/1.1 connections.
//!
//! Our own codec, because the connection is driven by the task of the request it serves (no channel, no second task), and because an
//! upstream's answer is a place to smuggle from: what is framed twice, or not at all, is 502 and the connection is gone.
//!
//! A route's requests are shared out among its hosts (`choose`), one that fails is left alone for a while (`standing`, `health`), and what another
//! can answer is sent there (`exchange`).

mod body;
mod budget;
mod choose;
mod connection;
mod error;
mod exchange;
mod head;
mod health;
mod host;
mod http2;
mod settings;
mod standing;
mod stream;
mod tls;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use arc_swap::ArcSwap;
use durward_base::{Clock, Duration, ResourceId};
use durward_enforce::{CompiledRoute, View};
use durward_node::Shared;

pub(crate) use body::{Switched, UpstreamBody};
pub(crate) use connection::Upload;
pub(crate) use error::UpstreamError;
pub(crate) use exchange::{Exchanged, Outgoing, Payload, Upstream};
pub use host::UpstreamStatus;
use host::{Host, HostKey};
pub use settings::{UpstreamSettings, UpstreamTimeouts};
pub use tls::{UpstreamPem, UpstreamTls, UpstreamTlsError};

/// How often it is looked whether routes have changed and connections have been idle too long.
const AGAIN: Duration = Duration::from_secs(1);

/// The upstreams of all routes.
pub(crate) struct Upstreams {
    settings: UpstreamSettings,
    clock: Clock,
    of_routes: ArcSwap<HashMap<ResourceId, Known>>,
    /// Every host that a route names: routes to the same one share its connections, and what is known of it. Locked to change either.
    hosts: Mutex<HashMap<HostKey, Weak<Host>>>,
    system: OnceLock<Result<UpstreamTls, String>>,
}

#[derive(Clone)]
struct Known {
    /// Of the route.
    version: u64,
    upstream: Arc<Upstream>,
}

impl Upstreams {
    pub(crate) fn new(settings: UpstreamSettings, clock: Clock) -> Self {
        Self { settings, clock, of_routes: ArcSwap::default(), hosts: Mutex::default(), system: OnceLock::new() }
    }

    /// The upstream of a route.
    pub(crate) fn of(&self, route: &Arc<CompiledRoute>) -> Arc<Upstream> {
        let (id, version) = route.identity();
        if let Some(known) = self.of_routes.load().get(&id).filter(|known| known.version == version) {
            return Arc::clone(&known.upstream);
        }
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of_routes = HashMap::clone(&self.of_routes.load());
        let upstream = self.take_in(route, &mut of_routes, &mut hosts);
        self.of_routes.store(Arc::new(of_routes));
        upstream
    }

    /// Goes with the routes of the view, for as long as it is polled: what no route names any more gets no request, finishes those it has, and its
    /// connections are closed.
    pub(crate) async fn keep(&self, shared: &Shared<View>) {
        let mut seen = None;
        loop {
            let generation = shared.view().generation();
            if seen.replace(generation) != Some(generation) {
                self.follow(&shared.view());
            }
            self.sweep();
            tokio::time::sleep(AGAIN).await;
        }
    }

    fn follow(&self, view: &View) {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.of_routes.load();
        let mut of_routes = HashMap::with_capacity(view.routes().len());
        for route in view.routes().iter() {
            let id = route.identity().0;
            of_routes.extend(before.get(&id).map(|known| (id, known.clone())));
            self.take_in(route, &mut of_routes, &mut hosts);
        }
        self.of_routes.store(Arc::new(of_routes));
        hosts.retain(|_, host| host.strong_count() > 0);
    }

    /// Makes the upstream of a route ready, unless it stands as it was.
    fn take_in(
        &self,
        route: &Arc<CompiledRoute>,
        of_routes: &mut HashMap<ResourceId, Known>,
        hosts: &mut HashMap<HostKey, Weak<Host>>,
    ) -> Arc<Upstream> {
        let (id, version) = route.identity();
        let upstream = match of_routes.get(&id).filter(|known| known.upstream.is_of(route)) {
            Some(known) => Arc::clone(&known.upstream),
            None => {
                let hosts = route.upstream().iter().map(|host| self.host(HostKey::new(host, route.resource()), hosts)).collect();
                Arc::new(Upstream::new(route, hosts, &self.settings, self.clock.clone()))
            }
        };
        of_routes.insert(id, Known { version, upstream: Arc::clone(&upstream) });
        upstream
    }

    fn host(&self, key: HostKey, hosts: &mut HashMap<HostKey, Weak<Host>>) -> Arc<Host> {
        if let Some(host) = hosts.get(&key).and_then(Weak::upgrade) {
            return host;
        }
        let host = Arc::new(Host::new(&key, self.tls(&key)));
        if let Some(check) = key.health_check.clone() {
            health::watch(&host, check, self.settings.timeouts);
        }
        hosts.insert(key, Arc::downgrade(&host));
        host
    }

    /// TLS as the host wants it; none over plain HTTP.
    fn tls(&self, key: &HostKey) -> Option<Result<UpstreamTls, String>> {
        key.host.is_tls.then(|| match &key.tls {
            Some(name) => {
                let known = self.settings.tls.iter().find(|tls| tls.name() == name);
                known.cloned().ok_or_else(|| format!("the settings have no `upstream_tls` of the name {name:?}"))
            }
            None => self.system.get_or_init(|| UpstreamTls::new("", &UpstreamPem::default()).map_err(|error| error.to_string())).clone(),
        })
    }

    /// Closes connections that have been idle too long.
    fn sweep(&self) {
        for host in self.hosts.lock().unwrap_or_else(PoisonError::into_inner).values().filter_map(Weak::upgrade) {
            host.sweep(self.settings.timeouts.idle);
        }
    }

    /// How every host stands, for metrics; one that routes speak to differently is one.
    pub(crate) fn statuses(&self) -> Vec<UpstreamStatus> {
        let now = self.clock.now();
        let hosts: Vec<_> = self.hosts.lock().unwrap_or_else(PoisonError::into_inner).values().filter_map(Weak::upgrade).collect();
        let mut statuses: BTreeMap<Arc<str>, UpstreamStatus> = BTreeMap::new();
        for host in hosts {
            statuses.entry(Arc::clone(&host.authority)).or_default().add(host.status(now));
        }
        statuses.into_values().collect()
    }
}

#[cfg(test)]
mod tests;
