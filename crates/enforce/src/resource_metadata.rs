//! RFC 9728: OAuth 2.0 Protected Resource Metadata, generated from routes.

use std::collections::BTreeSet;

use durward_model::CredentialKind;
use durward_model::resource::Route;
use durward_oauth::dpop::ALGORITHMS;
use serde::Serialize;

use crate::{CompiledRoute, View};

/// RFC 9728 section 3.1: where the document of a resource is found, its path appended.
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Section 2: what a client must know to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResourceMetadata {
    resource: String,
    authorization_servers: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    scopes_supported: BTreeSet<String>,
    bearer_methods_supported: [&'static str; 1],
    resource_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dpop_signing_alg_values_supported: Option<[&'static str; 6]>,
}

impl ResourceMetadata {
    /// The document of the resource at this host and path, which the world reaches as `address`. None where no route begins with exactly that
    /// path, or none that takes tokens.
    pub fn of(view: &View, host: &str, path: &str, address: impl FnOnce(&CompiledRoute) -> Option<String>) -> Option<Self> {
        let at = |route: &&CompiledRoute| {
            let named = route.resource().host.as_deref();
            resource_path(route.resource()) == path && named.is_none_or(|named| named == host) && takes_tokens(route)
        };
        let routes: Vec<_> = view.routes().iter().map(AsRef::as_ref).filter(at).collect();
        let first = routes.first()?;
        let bound = routes.iter().any(|route| route.resource().accept.contains(&CredentialKind::BoundToken));
        Some(Self {
            // 3.3: "The resource value returned MUST be identical to the protected resource's resource identifier value into which the
            // well-known URI path suffix was inserted".
            resource: address(first)?,
            authorization_servers: routes.iter().filter_map(|route| view.keys().issuer_of(route.realm())).map(str::to_owned).collect(),
            scopes_supported: routes.iter().flat_map(|route| scopes(view, route)).collect(),
            bearer_methods_supported: ["header"],
            resource_name: first.resource().accepted_audience().to_owned(),
            dpop_signing_alg_values_supported: bound.then_some(ALGORITHMS),
        })
    }

    /// As it is answered.
    pub fn to_json(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok()
    }
}

/// The path of the resource that a route belongs to: the route's own as far as it is the same for all of its requests. Empty for the root.
pub fn resource_path(route: &Route) -> &str {
    let literal = route.path.split_once("/{").map_or(route.path.as_str(), |(literal, _)| literal);
    literal.trim_end_matches('/')
}

/// Whether a route asks for what an authorization server issues.
pub fn takes_tokens(route: &CompiledRoute) -> bool {
    let issued = |kind: &CredentialKind| matches!(kind, CredentialKind::Jwt | CredentialKind::BoundToken | CredentialKind::OpaqueToken);
    !route.is_public() && route.resource().accept.iter().any(issued)
}

/// What can be asked for at the service, and what the route itself demands.
fn scopes(view: &View, route: &CompiledRoute) -> Vec<String> {
    let service = view.realm(route.realm()).and_then(|realm| realm.service(route.resource().accepted_audience()));
    let of_service = service.into_iter().flat_map(|service| &service.resource.scopes).map(|scope| scope.name.clone());
    of_service.chain(route.resource().require.scopes.iter().cloned()).collect()
}
