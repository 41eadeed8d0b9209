//! One realm compiled.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use durward_base::{ClientId, RealmId};
use durward_feed::Snapshot;
use durward_model::resource::{self as model, Client, Group, Realm, Resource, Role, Service};
use durward_model::{AdminRole, ClientSecret, Position, ResourceKind, Stored};
use durward_oauth::trusted_issuer::TrustedIssuer;
use durward_policy::{Document, Policies, PolicyError};

use super::catalog::{Catalog, Declared, of_kind};
use super::{ViewProblem, same};

/// A realm: its settings, its catalogs, its policies.
#[derive(Debug)]
pub struct RealmView {
    settings: Declared<Realm>,
    clients: Catalog<Client>,
    services: Catalog<Service>,
    groups: Catalog<Group>,
    roles: Catalog<Role>,
    secrets: HashMap<ClientId, Vec<Arc<ClientSecret>>>,
    trusted_issuers: TrustedIssuers,
    policies: Arc<RealmPolicies>,
}

/// The issuers whose JWTs are taken, as declared and with their keys parsed.
#[derive(Debug, Default)]
struct TrustedIssuers {
    declared: Catalog<model::TrustedIssuer>,
    compiled: Vec<Arc<TrustedIssuer>>,
}

/// The policies of one realm, and what they were compiled from.
#[derive(Debug, Default)]
pub(super) struct RealmPolicies {
    sources: Vec<Arc<Stored>>,
    set: Arc<Policies>,
    version: Position,
    problem: Option<ViewProblem>,
}

impl RealmView {
    pub(super) fn compile(name: &str, snapshot: &Snapshot, before: Option<&RealmView>) -> Option<Self> {
        let stored = snapshot.resource(name, ResourceKind::Realm, name)?;
        let Resource::Realm(realm) = &stored.resource else { return None };
        let mut secrets: HashMap<_, Vec<_>> = HashMap::new();
        for secret in snapshot.client_secrets().values().filter(|secret| secret.realm == name) {
            secrets.entry(secret.client).or_default().push(Arc::clone(secret));
        }
        Some(Self {
            settings: Declared { id: stored.id, version: stored.version, resource: realm.clone() },
            clients: Catalog::compile(name, snapshot, before.map(|before| &before.clients)),
            services: Catalog::compile(name, snapshot, before.map(|before| &before.services)),
            groups: Catalog::compile(name, snapshot, before.map(|before| &before.groups)),
            roles: Catalog::compile(name, snapshot, before.map(|before| &before.roles)),
            secrets,
            trusted_issuers: TrustedIssuers::compile(name, snapshot, before.map(|before| &before.trusted_issuers)),
            policies: RealmPolicies::compile(name, snapshot, before.map(|before| &before.policies)),
        })
    }

    /// The realm's id.
    pub const fn id(&self) -> RealmId {
        RealmId::from_bytes(self.settings.id.to_bytes())
    }

    /// The realm's name.
    pub fn name(&self) -> &str {
        &self.settings.resource.name
    }

    /// The realm's own resource.
    pub const fn settings(&self) -> &Realm {
        &self.settings.resource
    }

    /// A client by `client_id`.
    pub fn client(&self, name: &str) -> Option<&Arc<Declared<Client>>> {
        self.clients.get(name)
    }

    /// All clients.
    pub const fn clients(&self) -> &Catalog<Client> {
        &self.clients
    }

    /// The secrets of a client, retired ones included; none outside the authority.
    pub fn client_secrets(&self, client: ClientId) -> &[Arc<ClientSecret>] {
        self.secrets.get(&client).map(Vec::as_slice).unwrap_or_default()
    }

    /// A service by name.
    pub fn service(&self, name: &str) -> Option<&Arc<Declared<Service>>> {
        self.services.get(name)
    }

    /// All services.
    pub const fn services(&self) -> &Catalog<Service> {
        &self.services
    }

    /// A group by name.
    pub fn group(&self, name: &str) -> Option<&Arc<Declared<Group>>> {
        self.groups.get(name)
    }

    /// All groups.
    pub const fn groups(&self) -> &Catalog<Group> {
        &self.groups
    }

    /// All roles.
    pub const fn roles(&self) -> &Catalog<Role> {
        &self.roles
    }

    /// The issuers whose JWTs are taken, disabled or not.
    pub fn trusted_issuers(&self) -> &[Arc<TrustedIssuer>] {
        &self.trusted_issuers.compiled
    }

    /// The policies in force.
    pub fn policies(&self) -> &Arc<Policies> {
        &self.policies.set
    }

    /// Where the feed stood when the policies in force were compiled: changes whenever they do.
    pub fn policy_version(&self) -> Position {
        self.policies.version
    }

    pub(super) fn problem(&self) -> Option<&ViewProblem> {
        self.policies.problem.as_ref()
    }
}

impl TrustedIssuers {
    /// Nothing is taken of one whose keys cannot be parsed; none such can be applied.
    fn compile(realm: &str, snapshot: &Snapshot, before: Option<&Self>) -> Self {
        let declared = Catalog::compile(realm, snapshot, before.map(|before| &before.declared));
        let known = |issuer: &model::TrustedIssuer| before?.compiled.iter().find(|known| known.declared() == issuer).map(Arc::clone);
        let made = |issuer: &model::TrustedIssuer| TrustedIssuer::compile(issuer).ok().map(Arc::new);
        let compiled = declared.iter().filter_map(|(_, issuer)| known(&issuer.resource).or_else(|| made(&issuer.resource))).collect();
        Self { declared, compiled }
    }
}

impl RealmPolicies {
    /// A set that does not compile leaves the one before in force, whole: without the policy that is wrong, a `forbid` might be missing
    /// (POL-003).
    fn compile(realm: &str, snapshot: &Snapshot, before: Option<&Arc<Self>>) -> Arc<Self> {
        let sources = sources(realm, snapshot);
        if let Some(before) = before.filter(|before| same(&sources, &before.sources)) {
            return Arc::clone(before);
        }
        let nothing = Policies::default();
        let (set, version, problem) = match compile(&sources, before.map_or(&nothing, |before| &before.set)) {
            Ok(set) => (Arc::new(set), snapshot.position(), None),
            Err((kind, error)) => {
                let (set, version) = before.map(|before| (Arc::clone(&before.set), before.version)).unwrap_or_default();
                (set, version, Some(problem(realm, kind, error)))
            }
        };
        Arc::new(Self { sources, set, version, problem })
    }

    /// The policies of a realm that may come to be: what does not compile leaves none. Of those in force what says the same is taken over.
    pub(super) fn tried(realm: &str, snapshot: &Snapshot, in_force: &Policies) -> (Policies, Option<ViewProblem>) {
        match compile(&sources(realm, snapshot), in_force) {
            Ok(set) => (set, None),
            Err((kind, error)) => (Policies::default(), Some(problem(realm, kind, error))),
        }
    }
}

fn sources(realm: &str, snapshot: &Snapshot) -> Vec<Arc<Stored>> {
    let kinds = [ResourceKind::Role, ResourceKind::Schema, ResourceKind::Policy];
    kinds.into_iter().flat_map(|kind| of_kind(snapshot, realm, kind).map(Arc::clone)).collect()
}

fn compile(sources: &[Arc<Stored>], known: &Policies) -> Result<Policies, (ResourceKind, PolicyError)> {
    let mut roles: HashSet<&str> = [AdminRole::Admin, AdminRole::Operator, AdminRole::Auditor].map(AdminRole::name).into();
    let (mut schemas, mut policies) = (Vec::new(), Vec::new());
    for stored in sources {
        match &stored.resource {
            Resource::Role(role) => {
                roles.insert(&role.name);
            }
            Resource::Schema(schema) => schemas.push(Document { name: &schema.name, text: &schema.text }),
            Resource::Policy(policy) => policies.push(Document { name: &policy.name, text: &policy.text }),
            _ => {}
        }
    }
    let is_policy = |error: &PolicyError| policies.iter().any(|document| document.name == error.document);
    let kind = |error: &PolicyError| if is_policy(error) { ResourceKind::Policy } else { ResourceKind::Schema };
    known.changed(&policies, &schemas, &roles).map_err(|error| (kind(&error), error))
}

fn problem(realm: &str, kind: ResourceKind, error: PolicyError) -> ViewProblem {
    let PolicyError { document, line, column, message } = error;
    ViewProblem { realm: realm.to_owned(), kind: Some(kind), name: document, place: Some((line, column)), message }
}
