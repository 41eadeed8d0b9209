//! The snapshot compiled for use: catalogs, parsed keys, routes, policies. What a change does not touch is shared with the view before.

mod catalog;
mod keys;
mod realm;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use durward_feed::{Revocations, Snapshot, TokenKeys};
use durward_model::{Position, ResourceKind, Revocation, Stored};
use durward_policy::{Places, Policies};

pub use catalog::{Catalog, Declared};
pub use keys::{Keys, VerificationKey};
pub use realm::RealmView;

use crate::RouteTable;
use crate::route::RouteProblem;
use realm::RealmPolicies;

/// Everything a decision needs, as of one position of the feed.
#[derive(Debug, Default, Clone)]
pub struct View {
    snapshot: Snapshot,
    generation: u64,
    realms: BTreeMap<String, Arc<RealmView>>,
    keys: Arc<Keys>,
    routes: Arc<Routes>,
    problems: Arc<[ViewProblem]>,
    places: Places,
}

/// Something in the snapshot that cannot be used. What it was before stays in force; where there was nothing, nothing is allowed: a route
/// keeps its place, and its requests are denied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("realm \"{realm}\": {} \"{name}\"{}: {message}", .kind.map_or("key", ResourceKind::name), at(*.place))]
pub struct ViewProblem {
    /// The realm's name.
    pub realm: String,
    /// The kind of resource; none for a key.
    pub kind: Option<ResourceKind>,
    /// The resource's name, or the `kid`.
    pub name: String,
    /// Line and column in the resource's text, when it is a policy or schema.
    pub place: Option<(u32, u32)>,
    /// What is wrong and what to do.
    pub message: String,
}

#[derive(Debug, Default)]
struct Routes {
    sources: Vec<Arc<Stored>>,
    table: Arc<RouteTable>,
    problems: Vec<ViewProblem>,
}

impl View {
    /// Compiles a snapshot. Of `previous` everything that did not change is taken over, so that a revocation costs no more than a few
    /// pointers, and whatever cannot be compiled stays as it was there. Returns all that is wrong with the snapshot, known or new.
    pub fn compile(snapshot: &Snapshot, previous: Option<&View>) -> (View, Vec<ViewProblem>) {
        let nothing = View::default();
        let before = previous.unwrap_or(&nothing);
        let same_keys = Arc::ptr_eq(snapshot.keys(), before.snapshot.keys());
        let same_resources = Arc::ptr_eq(snapshot.resources(), before.snapshot.resources())
            && Arc::ptr_eq(snapshot.client_secrets(), before.snapshot.client_secrets());
        let mut view = View { snapshot: snapshot.clone(), generation: before.generation + 1, ..before.clone() };
        if !same_keys {
            view.keys = Arc::new(Keys::compile(snapshot.keys(), &before.keys));
        }
        if !same_resources {
            view.realms = compile_realms(snapshot, &before.realms);
            view.routes = compile_routes(snapshot, &before.routes);
        }
        if !(same_keys && same_resources) {
            view.problems = view.find_problems();
        }
        let problems = view.problems.to_vec();
        (view, problems)
    }

    /// What would be wrong with a snapshot if it came to be: all that compiling it, after nothing, would find in its resources. Policies that
    /// say what those of this view say are not validated again.
    pub fn problems_of(&self, snapshot: &Snapshot) -> Vec<ViewProblem> {
        let nothing = Policies::default();
        let in_force = |name: &str| self.realm(name).map_or(&nothing, |realm| realm.policies());
        let tried = |name: &String| (name.clone(), RealmPolicies::tried(name, snapshot, in_force(name)));
        let realms: BTreeMap<_, _> = realm_names(snapshot).into_iter().map(tried).collect();
        let (table, wrong_routes) = RouteTable::tried(&route_records(snapshot), self.routes());
        let dangling = dangling_actions(&table, |name| realms.get(name).map(|(policies, _)| policies));
        let wrong = realms.values().filter_map(|(_, problem)| problem.as_ref());
        wrong.cloned().chain(wrong_routes.into_iter().map(problem_of_route)).chain(dangling).collect()
    }

    /// The same, and those that are compiled after it, where policies ask these places about addresses.
    #[must_use]
    pub fn with_places(self, places: Places) -> Self {
        Self { places, ..self }
    }

    /// Where addresses are.
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// The snapshot it was compiled from.
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// As of where in the feed.
    pub const fn position(&self) -> Position {
        self.snapshot.position()
    }

    /// Counts compilations in one line of views. What was checked under the same generation need not be checked again.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// A realm by name.
    pub fn realm(&self, name: &str) -> Option<&Arc<RealmView>> {
        self.realms.get(name)
    }

    /// All realms, by name.
    pub fn realms(&self) -> impl Iterator<Item = &Arc<RealmView>> {
        self.realms.values()
    }

    /// All public keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The routes of all realms.
    pub fn routes(&self) -> &RouteTable {
        &self.routes.table
    }

    /// Everything revoked.
    pub const fn revocations(&self) -> &Revocations {
        self.snapshot.revocations()
    }

    /// The revocation a token with these keys dies of, if there is one.
    pub fn revoked(&self, token: &TokenKeys<'_>) -> Option<&Revocation> {
        self.revocations().find(token)
    }

    /// Everything in the snapshot that could not be used.
    pub fn problems(&self) -> &[ViewProblem] {
        &self.problems
    }

    fn find_problems(&self) -> Arc<[ViewProblem]> {
        let keys = self.keys.problems().iter();
        let realms = self.realms.values().filter_map(|realm| realm.problem());
        keys.chain(realms).chain(&self.routes.problems).cloned().chain(self.dangling_actions()).collect()
    }

    fn dangling_actions(&self) -> Vec<ViewProblem> {
        dangling_actions(&self.routes.table, |name| self.realm(name).map(|realm| realm.policies().as_ref()))
    }
}

/// Routes that ask the policies something they have no answer to: each request on them is denied.
fn dangling_actions<'a>(routes: &RouteTable, policies: impl Fn(&str) -> Option<&'a Policies>) -> Vec<ViewProblem> {
    let mut problems = Vec::new();
    for route in routes.iter() {
        let Some((action, resource)) = route.authorization() else { continue };
        let Some(policies) = policies(route.realm()) else { continue };
        if let Err(error) = policies.check_action(action, resource.entity_type()) {
            problems.push(route_problem(route.realm(), &route.resource().name, error.to_string()));
        }
    }
    problems
}

fn compile_realms(snapshot: &Snapshot, before: &BTreeMap<String, Arc<RealmView>>) -> BTreeMap<String, Arc<RealmView>> {
    let compiled = |name: &String| Some((name.clone(), Arc::new(RealmView::compile(name, snapshot, before.get(name).map(Arc::as_ref))?)));
    realm_names(snapshot).into_iter().filter_map(compiled).collect()
}

fn realm_names(snapshot: &Snapshot) -> BTreeSet<&String> {
    snapshot.resources().keys().filter(|(_, kind, _)| *kind == ResourceKind::Realm).map(|(realm, ..)| realm).collect()
}

fn compile_routes(snapshot: &Snapshot, before: &Arc<Routes>) -> Arc<Routes> {
    let sources = route_records(snapshot);
    if same(&sources, &before.sources) {
        return Arc::clone(before);
    }
    let (table, problems) = RouteTable::compile(&sources, &before.table);
    Arc::new(Routes { sources, table: Arc::new(table), problems: problems.into_iter().map(problem_of_route).collect() })
}

fn route_records(snapshot: &Snapshot) -> Vec<Arc<Stored>> {
    let routes = snapshot.resources().iter().filter(|((_, kind, _), _)| *kind == ResourceKind::Route);
    routes.map(|(_, stored)| Arc::clone(stored)).collect()
}

fn problem_of_route(RouteProblem { realm, route, message }: RouteProblem) -> ViewProblem {
    route_problem(&realm, &route, message)
}

fn route_problem(realm: &str, route: &str, message: String) -> ViewProblem {
    ViewProblem { realm: realm.to_owned(), kind: Some(ResourceKind::Route), name: route.to_owned(), place: None, message }
}

/// `, line 3, column 7`, where a place is known.
fn at(place: Option<(u32, u32)>) -> String {
    place.map(|(line, column)| format!(", line {line}, column {column}")).unwrap_or_default()
}

/// Whether these are the very same records.
fn same(left: &[Arc<Stored>], right: &[Arc<Stored>]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| Arc::ptr_eq(left, right))
}
