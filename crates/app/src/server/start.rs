//! Starting: store, root key, certificates, first realm and keys, view, then listeners; in that order, each standing on the one before.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use durward_admin::{Admin, AdminSettings};
use durward_authn::password::Breached;
use durward_base::{Clock, Duration, Rng};
use durward_enforce::{IdentityIssuer, View};
use durward_fleet::{Fleet, FleetSettings};
use durward_gateway::{Gateway, GatewaySettings};
use durward_issuer::{HashingPool, Issuer, IssuerSettings, KeyRings, MutualTls};
use durward_model::{AccessClass, EgressRules};
use durward_net::{
    Bound, Egress, Endpoint, Gate, HttpMetrics, Limits, ListenerTls, Open, Record, Shutdown, Surface, SurfaceSettings, serve,
};
use durward_node::{Journal, JournalSettings, Shared};
use durward_oauth::builtin::MAIN_REALM;
use durward_pki::TrustBundle;
use durward_seal::RootKey;
use durward_store::{Store, StoreSettings};
use prometheus_client::registry::Registry;
use tokio_util::task::TaskTracker;

use super::acme::{Acme, Tools};
use super::breached::BreachedFile;
use super::browsers::{Authority, with_sessions};
use super::certificates::{self, Certificates, Expiries};
use super::keys::SigningKeys;
use super::listeners::{Addresses, Listeners, hosts};
use super::metrics::Gauges;
use super::retention::Retention;
use super::shown::Shown;
use super::upstream_metrics::UpstreamGauges;
use super::{
    Server, background, certificate_files, client_authorities, first_realm, front_certificates, local, places, readiness, root,
    shared_secrets, strict_transport, upstreams,
};
use crate::configuration::{Listen, Outbound, Settings, StoreChoice, resolve};
use crate::http::Operations;

/// The name of this process in events.
const NODE: &str = "authority";
/// Time to the first view.
const FIRST_VIEW: Duration = Duration::from_secs(10);

/// What every part is made from.
struct Parts {
    settings: Settings,
    public_url: String,
    addresses: Addresses,
    store: Store,
    egress: Egress,
    root: Arc<RootKey>,
    shared: Shared<View>,
    metrics: HttpMetrics,
    clock: Clock,
    rng: Rng,
    /// Whether the resources that the settings name are in force.
    declared: Arc<AtomicBool>,
    shutdown: Shutdown,
    tasks: TaskTracker,
}

impl Server {
    /// Starts the authority, and the gateway in the same process.
    ///
    /// # Errors
    /// What cannot be opened or bound, and what to do about it.
    pub async fn start(settings: Settings, clock: Clock, rng: Rng) -> anyhow::Result<Self> {
        root::private_directory(&settings.data)?;
        let seal_file = settings.seal_file()?;
        let listeners = Listeners::bind(&settings).await?;
        let addresses = listeners.addresses()?;
        let public_url = settings.public_url.clone().unwrap_or_else(|| format!("https://localhost:{}", addresses.authority.port()));
        let store = Store::open(&store_settings(&settings)?, clock.clone()).await?;
        let opened = root::open(&store, &seal_file, &rng).await?;
        let root_key = Arc::new(opened.root);
        let names = certificates::names(&public_url, &settings)?;
        let certificates = Certificates::open(&store, &root_key, names.clone(), &clock, &rng).await?;
        let trust_pem = certificates.trust_bundle()?.to_pem();
        // For `--cacert`, and for the command line beside this data directory.
        root::write_private(&settings.data.join("ca.pem"), trust_pem.as_bytes())?;
        first_realm::make(&store, NODE, &clock, &rng).await?;

        let journal_key = local::journal_key(&settings.data, &root_key, &rng)?;
        let journal =
            Journal::open(JournalSettings::new(settings.data.join("journal"), NODE.into(), journal_key), clock.clone(), rng.clone())?;
        let mut registry = Registry::default();
        let (places, places_file) = places::open(settings.places.as_deref())?;
        let parts = Parts {
            shared: Shared::new(View::default().with_places(places), journal.clone()),
            metrics: HttpMetrics::register(&mut registry),
            shutdown: Shutdown::new(),
            tasks: TaskTracker::new(),
            egress: egress(&settings.outbound)?,
            root: root_key,
            declared: Arc::new(AtomicBool::new(settings.resources.is_none())),
            settings,
            public_url,
            addresses,
            store,
            clock,
            rng,
        };
        parts.tasks.spawn(places_file.run(parts.shutdown.clone()));
        certificates.register(&mut registry);
        let (identity, renew_at) = certificates.issue(parts.clock.now(), &parts.rng)?;
        let (named, followed) = certificate_files::open(&parts.settings.certificates, certificates.expiries())?;
        parts.tasks.spawn(followed.run(parts.shutdown.clone()));
        let acme = parts.acme(certificates.expiries()).await?;
        let named = std::iter::once(named).chain(acme.as_ref().map(Acme::named)).collect();
        let shown = Shown { identity: identity.clone(), named, challenges: acme.as_ref().map(Acme::challenges) };
        let endpoints = parts.serve(listeners, registry, shown, &names, &trust_pem).await?;
        if let Some(acme) = acme {
            parts.tasks.spawn(acme.run(parts.shutdown.clone()));
        }
        parts.tasks.spawn(certificates.keep_fresh(identity, renew_at, parts.clock.clone(), parts.rng.clone(), parts.shutdown.clone()));
        Ok(Self {
            socket: parts.settings.data.join("admin.sock"),
            addresses: parts.addresses,
            public_url: parts.public_url,
            trust_pem,
            unseen: opened.unseen,
            endpoints,
            journal,
            declared: parts.declared,
            shutdown: parts.shutdown,
            tasks: parts.tasks,
        })
    }
}

impl Parts {
    /// Begins to follow the store, makes the realms' keys, and serves every listener. The endpoints served.
    async fn serve(
        &self,
        listeners: Listeners,
        mut registry: Registry,
        shown: Shown,
        names: &[durward_pki::ServerName<'static>],
        trust_pem: &str,
    ) -> anyhow::Result<Vec<String>> {
        let (store, shared, clock, rng) = (self.store.clone(), self.shared.clone(), self.clock.clone(), self.rng.clone());
        let fleet = Fleet::new(FleetSettings { store, shared, clock, rng });
        self.follow(&fleet).await?;
        let rings = self.signing_keys().await?;
        let hashing = Arc::new(HashingPool::start(threads())?);
        registry.register_collector(Box::new(Gauges {
            shared: self.shared.clone(),
            hashing: Arc::clone(&hashing),
            clock: self.clock.clone(),
        }));
        let issuer = self.issuer(rings, hashing, TrustBundle::from_pem(trust_pem)?).await?;
        self.resolving(&fleet, &issuer);
        let admin = self.admin(trust_pem)?;
        let hosts = |port| hosts(names, port, &self.public_url);

        if let Some(bound) = listeners.gateway {
            let gateway = self.gateway(&issuer, trust_pem).await?;
            let asking = self.settings.gateway.client_certificates || !self.settings.gateway.front_certificates.is_empty();
            let tls = match asking {
                _ if self.settings.gateway.client_certificates_required => shown.tls_requiring(Arc::clone(&gateway) as _)?,
                asking => shown.tls(asking)?,
            };
            registry.register_collector(Box::new(UpstreamGauges(Arc::clone(&gateway))));
            if let Some(bound) = listeners.fronts {
                let fronts = self.settings.gateway.fronts.clone();
                self.tasks.spawn(Arc::clone(&gateway).serve_fronts(bound, fronts, self.shutdown.clone()));
            }
            if let Some(bound) = listeners.plain {
                self.tasks.spawn(Arc::clone(&gateway).serve(bound, None, self.shutdown.clone()));
            }
            self.tasks.spawn(gateway.serve(bound, Some(tls), self.shutdown.clone()));
        }
        if let (Some(bound), Some(address)) = (listeners.mutual_tls, self.addresses.mutual_tls) {
            let rows = issuer.endpoints().into_iter().filter(of_machines).collect();
            let surface = self.surface("mutual_tls", hosts(address.port()), Arc::new(Open), rows);
            self.listen(bound, Some(shown.tls(true)?), surface);
        }
        let mut rows = issuer.endpoints();
        rows.extend(admin.endpoints());
        let authority = self.surface("authority", hosts(self.addresses.authority.port()), Arc::new(admin.gate()), rows);
        self.listen(listeners.authority, Some(shown.tls(false)?), authority);
        let nodes = self.surface("nodes", hosts(self.addresses.nodes.port()), fleet.gate(), fleet.endpoints());
        self.listen(listeners.nodes, Some(shown.own_tls()?), nodes);
        let socket = Bound::unix(&self.settings.data.join("admin.sock")).context("DATA/admin.sock cannot be made")?;
        self.listen(socket, None, self.surface("admin", Vec::new(), Arc::new(admin.gate()), admin.endpoints()));
        let shared = self.shared.clone();
        let unusable = Box::new(move || shared.view().problems().iter().map(ToString::to_string).collect());
        let probes = readiness::probes(&self.shared, &self.clock, &self.declared, &self.shutdown);
        let operations = Operations::new(registry, probes, unusable).endpoints();
        let served = [issuer.endpoints(), admin.endpoints(), fleet.endpoints()];
        let mut served: Vec<String> = served.iter().flatten().chain(&operations).map(ToString::to_string).collect();
        served.sort();
        self.listen(listeners.operations, None, self.surface("operations", Vec::new(), Arc::new(Open), operations));
        self.tasks.spawn(background::watch_clock(self.clock.clone(), self.shutdown.clone()));
        self.tasks.spawn(background::keep_house(self.store.clone(), self.clock.clone(), self.shutdown.clone()));
        self.tasks.spawn(self.retention().run(self.shutdown.clone()));
        Ok(served)
    }

    /// Lets the view follow the store; returns when it shows the store's present state.
    async fn follow(&self, fleet: &Fleet) -> anyhow::Result<()> {
        let compile = |snapshot: &durward_feed::Snapshot, previous: &View| {
            let (view, problems) = View::compile(snapshot, Some(previous));
            problems.iter().for_each(
                |problem| tracing::error!(%problem, "part of what is declared cannot be used; what stood before holds, or it is denied"),
            );
            view
        };
        let (pumping, follow, shutdown) = (fleet.clone(), self.shared.following(compile), self.shutdown.clone());
        self.tasks.spawn(async move { pumping.pump(follow, shutdown).await });
        let (journaling, shutdown) = (fleet.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { journaling.journal(NODE, shutdown).await });
        tokio::time::timeout(FIRST_VIEW, self.shared.loaded()).await.context("the store's present state could not be read in time")
    }

    async fn acme(&self, expiries: &Expiries) -> anyhow::Result<Option<Acme>> {
        let (store, journal, expiries) = (self.store.clone(), self.shared.journal().clone(), expiries.clone());
        let tools = Tools { store, journal, node: NODE, expiries, clock: self.clock.clone(), rng: self.rng.clone() };
        Acme::open(&self.settings.acme, &self.root, tools).await
    }

    fn retention(&self) -> Retention {
        let (journal, clock, rng) = (self.shared.journal().clone(), self.clock.clone(), self.rng.clone());
        Retention { journal, node: NODE.into(), days: self.settings.audit.retention, clock, rng }
    }

    async fn signing_keys(&self) -> anyhow::Result<KeyRings> {
        let (store, root, public_url) = (self.store.clone(), Arc::clone(&self.root), self.public_url.clone());
        let keys = SigningKeys { store, root, public_url, clock: self.clock.clone(), rng: self.rng.clone() };
        let view = self.shared.views().load_full();
        for realm in view.realms() {
            keys.advance(realm).await?;
        }
        let rings = KeyRings::default();
        background::fill_rings(&keys, &rings, &view).await;
        self.shared.reached(self.store.head().await?).await;
        self.tasks.spawn(background::follow_keys(keys, Arc::clone(&rings), self.shared.clone(), self.shutdown.clone()));
        Ok(rings)
    }

    async fn issuer(&self, keys: KeyRings, hashing: Arc<HashingPool>, authority: TrustBundle) -> anyhow::Result<Issuer> {
        let settings = IssuerSettings {
            public_url: self.public_url.clone(),
            mutual_tls: self.mutual_tls_url()?.map(|url| MutualTls { url, authority }),
            views: self.shared.views(),
            store: self.store.clone(),
            keys,
            egress: self.egress.clone(),
            shared_secrets: Arc::new(shared_secrets::read(&self.settings)?),
            hashing,
            restored: self.store.restored_at().await?,
            clock: self.clock.clone(),
            rng: self.rng.clone(),
        };
        Ok(Issuer::new(settings, &self.root))
    }

    /// Where clients with certificates reach the authority: as configured, or at the listener's port of its public host.
    fn mutual_tls_url(&self) -> anyhow::Result<Option<String>> {
        let Some(address) = self.addresses.mutual_tls else { return Ok(None) };
        if let Some(url) = &self.settings.mutual_tls_public_url {
            return Ok(Some(url.clone()));
        }
        let mut url = url::Url::parse(&self.public_url)?;
        url.set_port(Some(address.port())).map_err(|()| anyhow::anyhow!("public_url: `{}` has no host", self.public_url))?;
        Ok(Some(url.origin().ascii_serialization()))
    }

    /// Where clients reach the gateway: as configured, or here.
    fn gateway_url(&self) -> Option<String> {
        let here = |address: SocketAddr| format!("https://localhost:{}", address.port());
        self.addresses.gateway.map(|address| self.settings.gateway.public_url.clone().unwrap_or_else(|| here(address)))
    }

    fn admin(&self, trust_pem: &str) -> anyhow::Result<Admin> {
        let breached = self.settings.passwords.breached.as_deref().map(BreachedFile::open).transpose()?;
        Ok(Admin::new(AdminSettings {
            public_url: self.public_url.clone(),
            gateway_url: self.gateway_url(),
            nodes_url: format!("https://localhost:{}", self.addresses.nodes.port()),
            trust_pem: trust_pem.to_owned(),
            node: NODE.into(),
            uid: rustix::process::getuid().as_raw(),
            store: self.store.clone(),
            shared: self.shared.clone(),
            scratch: self.settings.data.clone(),
            breached: breached.map(|file| Arc::new(file) as Arc<dyn Breached>),
            root: Arc::clone(&self.root),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
        }))
    }

    /// Lets the authority answer what no view can, and write down when what it was asked about was used.
    fn resolving(&self, fleet: &Fleet, issuer: &Issuer) {
        fleet.resolve_with(Arc::new(issuer.clone()));
        let (noting, shutdown) = (issuer.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { noting.note_last_uses(shutdown.cancelled()).await });
        let (telling, shutdown) = (issuer.clone(), self.shutdown.clone());
        self.tasks.spawn(async move { telling.deliver_logouts(shutdown.cancelled()).await });
    }

    async fn gateway(&self, issuer: &Issuer, trust_pem: &str) -> anyhow::Result<Arc<Gateway>> {
        let name = &self.settings.gateway.name;
        let identity: IdentityIssuer = local::gateway_key(name, &self.public_url, &self.settings.data, &self.root, &self.rng)?;
        local::enrol(&self.store, MAIN_REALM, &identity, self.clock.now(), &self.rng).await?;
        let public_url = self.gateway_url().as_deref().map(url::Url::parse).transpose()?;
        let (mode, withhold) = (self.settings.gateway.mode, self.settings.gateway.withhold.clone());
        let (fronts, limits) = (front_certificates::read(&self.settings.gateway.front_certificates)?, self.limits());
        let (upstreams, followed) = upstreams::open(&self.settings.gateway)?;
        self.tasks.spawn(followed.run(self.shutdown.clone()));
        let strict_transport = strict_transport::of(&self.settings, self.settings.gateway.public_url.as_deref());
        let credential_cache = usize::try_from(self.settings.gateway.credential_cache_mib.max(1))? << 20;
        let of_name = GatewaySettings { credential_cache, ..GatewaySettings::named(name.clone()) };
        let settings = GatewaySettings { public_url, strict_transport, mode, withhold, fronts, limits, upstreams, ..of_name };
        let (metrics, clock, rng) = (self.metrics.clone(), self.clock.clone(), self.rng.clone());
        let gateway = Gateway::new(settings, self.shared.clone(), identity, metrics, clock, rng);
        let gateway = gateway.resolving_with(Arc::new(issuer.clone()));
        let (authorities, followed) = client_authorities::open(&self.settings.gateway.client_authorities)?;
        self.tasks.spawn(followed.run(self.shutdown.clone()));
        let gateway = gateway.with_client_authorities(authorities);
        let authority = Authority {
            public_url: &self.public_url,
            address: self.addresses.authority,
            trust_pem,
            egress: &self.egress,
            clock: &self.clock,
        };
        Ok(Arc::new(with_sessions(gateway, &self.settings, &authority, (&self.root, &self.rng))?))
    }

    fn surface(&self, listener: &'static str, hosts: Vec<String>, gate: Arc<dyn Gate>, endpoints: Vec<Endpoint>) -> Surface {
        let record: Arc<dyn Record> = Arc::new(self.shared.journal().clone());
        let (metrics, clock, rng) = (self.metrics.clone(), self.clock.clone(), self.rng.clone());
        let strict_transport = strict_transport::of(&self.settings, self.settings.public_url.as_deref());
        let settings = SurfaceSettings { listener, node: NODE.into(), hosts, strict_transport, gate, record, metrics, clock, rng };
        Surface::new(settings, endpoints)
    }

    fn listen(&self, bound: Bound, tls: Option<ListenerTls>, surface: Surface) {
        let (limits, unserved) = (self.limits(), surface.unserved());
        self.tasks.spawn(serve(bound, tls, limits, unserved, self.shutdown.clone(), move |peer| surface.connection(peer)));
    }

    fn limits(&self) -> Limits {
        let Listen { connections, connections_per_address, head_ms, idle_ms, .. } = self.settings.listen;
        let (head, idle) = (Duration::from_millis(head_ms.into()), Duration::from_millis(idle_ms.into()));
        Limits { connections, connections_per_address, head, idle, ..Limits::default() }
    }
}

/// Whether an endpoint is for programs, which may have certificates, and not for people.
fn of_machines(endpoint: &Endpoint) -> bool {
    matches!(endpoint.access, AccessClass::Client | AccessClass::ConfidentialClient | AccessClass::Bearer)
}

fn store_settings(settings: &Settings) -> anyhow::Result<StoreSettings> {
    Ok(match &settings.store {
        StoreChoice::Sqlite => StoreSettings::sqlite(settings.data.join("durward.db")),
        StoreChoice::Postgres(reference) => StoreSettings::postgres(resolve(reference, "store.postgres")?),
    })
}

/// One hashing thread a core.
fn threads() -> NonZeroU32 {
    std::thread::available_parallelism().ok().and_then(|cores| NonZeroU32::try_from(cores).ok()).unwrap_or(NonZeroU32::MIN)
}

/// The way out to URLs that somebody else names.
pub(super) fn egress(settings: &Outbound) -> anyhow::Result<Egress> {
    let roots = match &settings.trusted_roots {
        Some(path) => std::fs::read(path).with_context(|| format!("outbound.trusted_roots: the file {} cannot be read", path.display()))?,
        None => Vec::new(),
    };
    Ok(Egress::new(EgressRules { loopback: settings.allow_loopback }, roots))
}
