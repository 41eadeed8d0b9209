//! The route table. Segment by segment a literal comes before a parameter, a parameter before the rest, and the host that is named before
//! any; the most specific path wins whole, and a method it is not for is 405, never a wider route's.

mod compiled;
mod pattern;
mod upstream;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use durward_model::resource::Route;
use durward_model::{Resource, ResourceKind, Stored};

pub use compiled::CompiledRoute;
pub use upstream::UpstreamHost;

use crate::NormalPath;
use pattern::{Pattern, Piece};

/// Compiled routes.
#[derive(Debug, Default)]
pub struct RouteTable {
    hosts: HashMap<String, Node>,
    any_host: Node,
    routes: Vec<Arc<CompiledRoute>>,
    has_terms: bool,
}

/// A request's route, with the values of the path's parameters.
#[derive(Debug, Clone)]
pub struct Routed {
    route: Arc<CompiledRoute>,
    values: Vec<String>,
}

/// No route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// 404: deny by default.
    #[error("no route matches the path")]
    NotFound,
    /// 405.
    #[error("the route is not for this method (expected {})", .allowed.join(", "))]
    MethodNotAllowed {
        /// The methods it is for, sorted.
        allowed: Vec<String>,
    },
    /// 503: the route is declared and wrong.
    #[error("the route \"{route}\" cannot be used as it is declared")]
    Unusable {
        /// Its name.
        route: Arc<str>,
    },
}

/// A route that cannot be in the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route \"{route}\": {message}")]
pub struct RouteProblem {
    /// The realm's name.
    pub realm: String,
    /// The route's name.
    pub route: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// A place in the tree of paths.
#[derive(Debug, Default)]
struct Node {
    literals: HashMap<String, Node>,
    parameter: Option<Box<Node>>,
    /// Routes for exactly this path.
    exact: Vec<Entry>,
    /// Routes for what is below, the last parameter taking it.
    rest: Vec<Entry>,
    /// Routes for this path and all below.
    prefix: Vec<Entry>,
}

/// A route in its place.
#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    methods: Vec<String>,
    /// None when it is wrong: its requests are denied.
    route: Option<Arc<CompiledRoute>>,
}

impl Entry {
    fn is_for(&self, method: &str) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|known| known == method)
    }
}

impl RouteTable {
    /// Compiles the routes of all realms; records of other kinds are passed over. A route that is wrong stays what it was in `before`; one
    /// that was not there keeps its place and is denied, so that no wider one answers for it. Of two for the same requests the one made
    /// first has them. Returns all that is wrong.
    pub fn compile(records: &[Arc<Stored>], before: &Self) -> (Self, Vec<RouteProblem>) {
        Self::compile_from(records, before, before)
    }

    /// The same where nothing was before. Routes of `known` that are declared alike are taken over.
    pub(crate) fn tried(records: &[Arc<Stored>], known: &Self) -> (Self, Vec<RouteProblem>) {
        Self::compile_from(records, &Self::default(), known)
    }

    fn compile_from(records: &[Arc<Stored>], before: &Self, known: &Self) -> (Self, Vec<RouteProblem>) {
        let known: HashMap<_, _> = known.routes.iter().map(|route| (route.identity().0, route)).collect();
        let mut routes: Vec<_> = records.iter().filter(|stored| stored.resource.kind() == ResourceKind::Route).collect();
        routes.sort_by_key(|stored| stored.id);
        let (mut table, mut problems) = (Self::default(), Vec::new());
        for stored in routes {
            if let Err(problem) = table.add(stored, before, known.get(&stored.id).copied()) {
                problems.push(problem);
            }
        }
        (table, problems)
    }

    fn add(&mut self, stored: &Stored, before: &Self, known: Option<&Arc<CompiledRoute>>) -> Result<(), RouteProblem> {
        if let Some(known) = known.filter(|known| known.is_of(stored))
            && let Ok(pattern) = Pattern::parse(&known.resource().path)
        {
            return self.insert(Arc::clone(known), &pattern);
        }
        match CompiledRoute::compile(stored) {
            Ok(None) => Ok(()),
            Ok(Some((route, pattern))) => self.insert(Arc::new(route), &pattern),
            Err(problem) => {
                let known = before.routes.iter().find(|known| known.identity().0 == stored.id);
                match known.and_then(|known| Some((Arc::clone(known), Pattern::parse(&known.resource().path).ok()?))) {
                    Some((known, pattern)) => drop(self.insert(known, &pattern)),
                    None => self.deny(stored),
                }
                Err(problem)
            }
        }
    }

    fn insert(&mut self, route: Arc<CompiledRoute>, pattern: &Pattern) -> Result<(), RouteProblem> {
        let Route { host, methods, exact, .. } = route.resource();
        let place = self.place(host.as_deref(), pattern, *exact);
        let problem = place.iter().filter_map(|entry| entry.route.as_ref()).find(|other| other.shares_a_method(&route)).map(|other| {
            route.problem(format!("matches the same requests as route \"{}\": change the path, the host or the methods", other.name()))
        });
        let entry =
            Entry { name: Arc::clone(route.name()), methods: methods.clone(), route: problem.is_none().then(|| Arc::clone(&route)) };
        place.push(entry);
        match problem {
            Some(problem) => Err(problem),
            None => {
                self.has_terms |= route.has_terms();
                self.routes.push(route);
                Ok(())
            }
        }
    }

    /// Keeps a place in which nothing is served.
    fn deny(&mut self, stored: &Stored) {
        let Resource::Route(Route { name, host, path, exact, methods, .. }) = &stored.resource else { return };
        let host = host.as_ref().map(|host| host.split(':').next().unwrap_or_default().to_ascii_lowercase());
        let pattern = Pattern::parse(path).unwrap_or_else(|_| Pattern::beginning(path));
        let methods = methods.iter().map(|method| method.to_ascii_uppercase()).collect();
        self.place(host.as_deref(), &pattern, *exact).push(Entry { name: name.as_str().into(), methods, route: None });
    }

    fn place(&mut self, host: Option<&str>, pattern: &Pattern, exact: bool) -> &mut Vec<Entry> {
        let root = match host {
            Some(host) => self.hosts.entry(host.to_owned()).or_default(),
            None => &mut self.any_host,
        };
        root.place(pattern, exact)
    }

    /// The route of a request.
    ///
    /// # Errors
    /// `RouteError` when there is none for the path, none for the method, or one that is wrong.
    pub fn find(&self, host: &str, method: &str, path: &NormalPath<'_>) -> Result<Routed, RouteError> {
        let mut values = Vec::new();
        let named = self.hosts.get(host).and_then(|root| root.find(path, 0, &mut values));
        let found = named.or_else(|| {
            values.clear();
            self.any_host.find(path, 0, &mut values)
        });
        let entries = found.ok_or(RouteError::NotFound)?;
        let mut of_method = entries.iter().filter(|entry| entry.is_for(method));
        if let Some(route) = of_method.clone().find_map(|entry| entry.route.as_ref()) {
            return Ok(Routed { route: Arc::clone(route), values });
        }
        if let Some(wrong) = of_method.next() {
            return Err(RouteError::Unusable { route: Arc::clone(&wrong.name) });
        }
        let allowed: BTreeSet<_> = entries.iter().flat_map(|entry| entry.methods.iter().cloned()).collect();
        Err(RouteError::MethodNotAllowed { allowed: allowed.into_iter().collect() })
    }

    /// All routes.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<CompiledRoute>> {
        self.routes.iter()
    }

    /// Whether any says more than who may make its requests.
    pub const fn has_terms(&self) -> bool {
        self.has_terms
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.routes.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }
}

impl Routed {
    /// The route.
    pub const fn route(&self) -> &Arc<CompiledRoute> {
        &self.route
    }

    /// The value of a path parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let number = self.route.parameters().iter().position(|known| known == name)?;
        self.values.get(number).map(String::as_str)
    }

    pub(crate) fn values(&self) -> &[String] {
        &self.values
    }
}

impl Node {
    fn place(&mut self, pattern: &Pattern, exact: bool) -> &mut Vec<Entry> {
        let node = pattern.pieces.iter().fold(self, |node, piece| match piece {
            Piece::Literal(text) => node.literals.entry(text.clone()).or_default(),
            Piece::Parameter => node.parameter.get_or_insert_default(),
        });
        match (pattern.rest, exact) {
            (true, _) => &mut node.rest,
            (false, true) => &mut node.exact,
            (false, false) => &mut node.prefix,
        }
    }

    /// The routes of the most specific pattern below this node, `values` holding the parameters' values.
    fn find(&self, path: &NormalPath<'_>, depth: usize, values: &mut Vec<String>) -> Option<&[Entry]> {
        let taken = values.len();
        let below = path.segments().get(depth..).unwrap_or_default();
        if let Some(segment) = below.first() {
            if let Some(found) = self.literals.get(&**segment).and_then(|node| node.find(path, depth + 1, values)) {
                return Some(found);
            }
            if let Some(node) = &self.parameter {
                values.push(segment.clone().into_owned());
                if let Some(found) = node.find(path, depth + 1, values) {
                    return Some(found);
                }
                values.truncate(taken);
            }
            if !self.rest.is_empty() {
                values.push(below.join("/"));
                return Some(&self.rest);
            }
        } else if !self.exact.is_empty() && !path.has_trailing_slash() {
            return Some(&self.exact);
        }
        (!self.prefix.is_empty()).then_some(self.prefix.as_slice())
    }
}
