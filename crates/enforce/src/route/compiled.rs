//! One route, checked whole and made ready.

use std::sync::Arc;

use durward_base::{Duration, ResourceId};
use durward_model::Stored;
use durward_model::resource::{Access, Resource, Route};

use super::RouteProblem;
use super::pattern::Pattern;
use super::upstream::{self, UpstreamHost};
use crate::ResourceTemplate;

/// A route as the gateway uses it.
#[derive(Debug)]
pub struct CompiledRoute {
    realm: Arc<str>,
    name: Arc<str>,
    service: Arc<str>,
    upstream: Vec<UpstreamHost>,
    id: ResourceId,
    version: u64,
    resource: Route,
    parameters: Vec<String>,
    authorization: Option<(String, ResourceTemplate)>,
}

impl CompiledRoute {
    /// Checks a record and makes it ready; none for a record of another kind.
    pub(super) fn compile(stored: &Stored) -> Result<Option<(Self, Pattern)>, RouteProblem> {
        let Resource::Route(route) = &stored.resource else { return Ok(None) };
        let problem = |message| RouteProblem { realm: stored.realm.clone(), route: route.name.clone(), message };
        check(route).map_err(problem)?;
        let pattern = Pattern::parse(&route.path).map_err(problem)?;
        if pattern.rest && route.exact {
            return Err(problem(format!("path {:?} takes the rest, so that `exact` says nothing: leave it out", route.path)));
        }
        let upstream = upstream::hosts(route).map_err(problem)?;
        let authorization = authorization(route, &pattern).map_err(problem)?;
        let compiled = Self {
            realm: stored.realm.as_str().into(),
            name: route.name.as_str().into(),
            service: route.service.as_str().into(),
            upstream,
            id: stored.id,
            version: stored.version,
            resource: route.clone(),
            parameters: pattern.parameters.clone(),
            authorization,
        };
        Ok(Some((compiled, pattern)))
    }

    /// The realm's name.
    pub const fn realm(&self) -> &Arc<str> {
        &self.realm
    }

    /// The route's name.
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The service behind it: the audience of the identity token.
    pub const fn service(&self) -> &Arc<str> {
        &self.service
    }

    /// The hosts that requests are forwarded to: one at least.
    pub fn upstream(&self) -> &[UpstreamHost] {
        &self.upstream
    }

    /// The resource as declared.
    pub const fn resource(&self) -> &Route {
        &self.resource
    }

    /// Which state of which resource this is.
    pub const fn identity(&self) -> (ResourceId, u64) {
        (self.id, self.version)
    }

    /// Whether this is what it was compiled from.
    pub(super) fn is_of(&self, stored: &Stored) -> bool {
        let Stored { id, realm, version, resource } = stored;
        (self.id, self.version, &*self.realm) == (*id, *version, realm.as_str())
            && matches!(resource, Resource::Route(route) if *route == self.resource)
    }

    /// The path's parameters, in order.
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// The action and resource it asks the policies about.
    pub fn authorization(&self) -> Option<(&str, &ResourceTemplate)> {
        self.authorization.as_ref().map(|(action, resource)| (action.as_str(), resource))
    }

    /// Whether anyone may pass, without a credential.
    pub fn is_public(&self) -> bool {
        self.resource.access == Access::Public
    }

    /// Whether it says more than who may make its requests.
    pub(super) const fn has_terms(&self) -> bool {
        let Route { limits, cors, security_headers, show_decision, .. } = &self.resource;
        !limits.is_empty() || cors.is_some() || *security_headers || *show_decision
    }

    /// How stale the node's knowledge may be.
    pub const fn max_staleness(&self) -> Duration {
        Duration::from_secs(self.resource.max_staleness_seconds as u64)
    }

    pub(super) fn shares_a_method(&self, other: &Self) -> bool {
        let methods = &other.resource.methods;
        let shared = |method: &String| self.resource.methods.contains(method);
        self.resource.methods.is_empty() || methods.is_empty() || methods.iter().any(shared)
    }

    pub(super) fn problem(&self, message: String) -> RouteProblem {
        RouteProblem { realm: self.realm.to_string(), route: self.name.to_string(), message }
    }
}

fn check(route: &Route) -> Result<(), String> {
    let asks = !route.require.is_empty() || route.authorize.is_some();
    match route.access {
        Access::Public if asks => return Err("is public and yet requires something: leave out one of them".to_owned()),
        Access::Protected if !asks => {
            return Err("requires nothing: give `require` or `authorize`, or say `access: public`".to_owned());
        }
        Access::Protected if route.accept.is_empty() => return Err("`accept` is empty: nothing could ever be presented".to_owned()),
        Access::Public | Access::Protected => {}
    }
    let is_method = |method: &String| !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    if let Some(method) = route.methods.iter().find(|method| !is_method(method)) {
        return Err(format!("method {method:?} is not one: methods are written in capitals, like GET"));
    }
    let is_host = |host: &String| !host.is_empty() && host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'));
    if let Some(host) = route.host.as_ref().filter(|host| !is_host(host)) {
        return Err(format!("host {host:?}: write it in lower case, without port"));
    }
    let is_field =
        |name: &String| (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if let Some(name) = route.withhold.iter().find(|name| !is_field(name)) {
        return Err(format!("withhold: {name:?} is no field's name (expected 1 to 64 letters, digits or -_.)"));
    }
    terms(route)?;
    if !matches!(route.identity_type.as_str(), "dw-id+jwt" | "JWT") {
        return Err(format!("identity_type {:?} is unknown (expected dw-id+jwt or JWT)", route.identity_type));
    }
    if route.service.is_empty() { Err("names no service".to_owned()) } else { Ok(()) }
}

/// Rates, other origins, and the path behind.
fn terms(route: &Route) -> Result<(), String> {
    if route.limits.iter().any(|limit| limit.requests == 0 || limit.seconds == 0 || limit.requests / limit.seconds > 1000) {
        return Err("limits: each needs `requests` and `seconds` above 0, and at most 1000 requests a second".to_owned());
    }
    if route.access == Access::Public && route.limits.iter().any(|limit| !limit.per.is_anonymous()) {
        return Err("limits: on a public route nobody is known: `per` is route or address".to_owned());
    }
    let is_origin = |origin: &String| {
        let host = origin.split_once("://").filter(|(scheme, _)| matches!(*scheme, "https" | "http")).map(|(_, host)| host);
        host.is_some_and(|host| {
            !host.is_empty() && host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b':' | b'[' | b']'))
        })
    };
    if let Some(origin) = route.cors.iter().flat_map(|cors| &cors.origins).find(|origin| !is_origin(origin)) {
        return Err(format!("cors: {origin:?} is no origin: write it as https://app.example, in lower case, without a path"));
    }
    if let Some(rewrite) = &route.rewrite {
        let path = rewrite.as_bytes();
        if !rewrite.starts_with('/') || crate::NormalPath::parse(path).is_err() {
            return Err(format!("rewrite: {rewrite:?} is no path: write it as /v2, without a query"));
        }
    }
    Ok(())
}

/// What is asked of the policies: by default about the route itself.
fn authorization(route: &Route, pattern: &Pattern) -> Result<Option<(String, ResourceTemplate)>, String> {
    let Some(authorize) = &route.authorize else { return Ok(None) };
    let template = match &authorize.resource {
        Some(text) => ResourceTemplate::parse(text, &pattern.parameters, pattern.rest).map_err(|error| error.to_string())?,
        None => ResourceTemplate::fixed("Durward::Route", &route.name).map_err(|error| error.to_string())?,
    };
    Ok(Some((authorize.action.clone(), template)))
}
