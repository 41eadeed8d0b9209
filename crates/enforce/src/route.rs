//! The route table. Segment by segment a literal comes before a parameter, a parameter before the rest, and the host that is named before
//! any; the most specific path wins whole, and a method it is not for is 405, never a wider route's.

mod compiled;
mod pattern;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use durward_model::Stored;

pub use compiled::CompiledRoute;

use crate::NormalPath;
use pattern::{Pattern, Piece};

/// Compiled routes.
#[derive(Debug, Default)]
pub struct RouteTable {
    hosts: HashMap<String, Node>,
    any_host: Node,
    routes: Vec<Arc<CompiledRoute>>,
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
    exact: Vec<Arc<CompiledRoute>>,
    /// Routes for what is below, the last parameter taking it.
    rest: Vec<Arc<CompiledRoute>>,
    /// Routes for this path and all below.
    prefix: Vec<Arc<CompiledRoute>>,
}

impl RouteTable {
    /// Compiles the routes of all realms; records of other kinds are passed over.
    ///
    /// # Errors
    /// `RouteProblem` for the first route that is invalid, or that another one leaves nothing to.
    pub fn compile(records: &[Arc<Stored>]) -> Result<Self, RouteProblem> {
        let mut table = Self::default();
        for stored in records {
            let Some((route, pattern)) = CompiledRoute::compile(stored)? else { continue };
            let route = Arc::new(route);
            let root = match &route.resource().host {
                Some(host) => table.hosts.entry(host.clone()).or_default(),
                None => &mut table.any_host,
            };
            root.insert(&route, &pattern)?;
            table.routes.push(route);
        }
        Ok(table)
    }

    /// The route of a request.
    ///
    /// # Errors
    /// `RouteError` when there is none for the path, or none for the method.
    pub fn find(&self, host: &str, method: &str, path: &NormalPath<'_>) -> Result<Routed, RouteError> {
        let mut values = Vec::new();
        let named = self.hosts.get(host).and_then(|root| root.find(path, 0, &mut values));
        let found = named.or_else(|| {
            values.clear();
            self.any_host.find(path, 0, &mut values)
        });
        let routes = found.ok_or(RouteError::NotFound)?;
        if let Some(route) = routes.iter().find(|route| route.is_for(method)) {
            return Ok(Routed { route: Arc::clone(route), values });
        }
        let allowed: BTreeSet<_> = routes.iter().flat_map(|route| route.resource().methods.iter().cloned()).collect();
        Err(RouteError::MethodNotAllowed { allowed: allowed.into_iter().collect() })
    }

    /// All routes.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<CompiledRoute>> {
        self.routes.iter()
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
    fn insert(&mut self, route: &Arc<CompiledRoute>, pattern: &Pattern) -> Result<(), RouteProblem> {
        let node = pattern.pieces.iter().fold(self, |node, piece| match piece {
            Piece::Literal(text) => node.literals.entry(text.clone()).or_default(),
            Piece::Parameter => node.parameter.get_or_insert_default(),
        });
        let place = match (pattern.rest, route.resource().exact) {
            (true, _) => &mut node.rest,
            (false, true) => &mut node.exact,
            (false, false) => &mut node.prefix,
        };
        match place.iter().find(|other| other.shares_a_method(route)) {
            Some(other) => {
                Err(route
                    .problem(format!("matches the same requests as route \"{}\": change the path, the host or the methods", other.name())))
            }
            None => {
                place.push(Arc::clone(route));
                Ok(())
            }
        }
    }

    /// The routes of the most specific pattern below this node, `values` holding the parameters' values.
    fn find(&self, path: &NormalPath<'_>, depth: usize, values: &mut Vec<String>) -> Option<&[Arc<CompiledRoute>]> {
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
