//! Names that stand for other resources: each must be declared, and the nearest that is gets named.

use std::collections::BTreeSet;

use durward_feed::Snapshot;
use durward_model::resource::{Client, Group, PersonResource, Route, Service, TrustedIssuer};
use durward_model::{AdminRole, Resource, ResourceKind};
use durward_oauth::client_metadata::Names;
use durward_oauth::scope::REALM_SCOPES;

use super::Fault;
use durward_base::nearest;

/// The names of one realm.
pub(crate) struct References<'a> {
    pub snapshot: &'a Snapshot,
    pub realm: &'a str,
}

impl Names for References<'_> {
    fn exists(&self, kind: ResourceKind, name: &str) -> bool {
        kind == ResourceKind::Role && AdminRole::from_name(name).is_some() || self.snapshot.resource(self.realm, kind, name).is_some()
    }

    fn service(&self, name: &str) -> Option<&Service> {
        match &self.snapshot.resource(self.realm, ResourceKind::Service, name)?.resource {
            Resource::Service(service) => Some(service),
            _ => None,
        }
    }
}

impl References<'_> {
    /// The names in a resource that stand for nothing.
    pub(crate) fn dangling(&self, resource: &Resource) -> Vec<Fault> {
        match resource {
            Resource::Client(client) => self.client(client),
            Resource::Route(route) => self.route(route),
            Resource::Group(Group { roles, .. }) => self.all(ResourceKind::Role, "roles", roles),
            Resource::Person(PersonResource { roles, groups, .. }) => {
                [self.all(ResourceKind::Role, "roles", roles), self.all(ResourceKind::Group, "groups", groups)].concat()
            }
            Resource::TrustedIssuer(issuer) => self.issuer(issuer),
            Resource::Realm(_) | Resource::Service(_) | Resource::Role(_) | Resource::Policy(_) | Resource::Schema(_) => Vec::new(),
        }
        .into_iter()
        .map(|fault| Fault { kind: resource.kind(), name: resource.name().to_owned(), ..fault })
        .collect()
    }

    /// Whose tokens an issuer's are must not depend on which of two is looked at.
    fn issuer(&self, issuer: &TrustedIssuer) -> Vec<Fault> {
        let role = |(word, role): (&String, &String)| self.one(ResourceKind::Role, &format!("roles.{word}"), role);
        let service = |(audience, service): (&String, &String)| {
            self.one(ResourceKind::Service, &format!("access_tokens.audiences.{audience}"), service)
        };
        let audiences = issuer.access_tokens.iter().flat_map(|tokens| &tokens.audiences);
        let others = self.snapshot.resources().values().filter(|stored| stored.realm == self.realm);
        let twin = others.filter_map(|stored| match &stored.resource {
            Resource::TrustedIssuer(other) if other.issuer == issuer.issuer && other.name != issuer.name => Some(Fault {
                kind: ResourceKind::TrustedIssuer,
                name: issuer.name.clone(),
                field: "issuer".to_owned(),
                found: Some(issuer.issuer.clone()),
                place: None,
                message: format!("\"{}\" is the trusted issuer \"{}\" already", issuer.issuer, other.name),
            }),
            _ => None,
        });
        issuer.roles.iter().filter_map(role).chain(audiences.filter_map(service)).chain(twin).collect()
    }

    fn client(&self, client: &Client) -> Vec<Fault> {
        let mut faults = self.all(ResourceKind::Service, "services", &client.services);
        faults.extend(self.all(ResourceKind::Role, "roles", &client.roles));
        faults.extend(client.runs.as_ref().and_then(|service| self.one(ResourceKind::Service, "runs", service)));
        faults.extend(self.scopes("scopes", &client.scopes, client.services.iter().map(String::as_str)));
        faults
    }

    fn route(&self, route: &Route) -> Vec<Fault> {
        let mut faults: Vec<Fault> = self.one(ResourceKind::Service, "service", &route.service).into_iter().collect();
        faults.extend(route.audience.as_ref().and_then(|audience| self.one(ResourceKind::Service, "audience", audience)));
        faults.extend(self.all(ResourceKind::Role, "require.roles", &route.require.roles));
        faults.extend(self.scopes("require.scopes", &route.require.scopes, [route.accepted_audience()].into_iter()));
        for (index, caller) in route.require.callers.iter().enumerate() {
            if !self.exists(ResourceKind::Service, caller) && !self.exists(ResourceKind::Client, caller) {
                let known = self.names(ResourceKind::Service).into_iter().chain(self.names(ResourceKind::Client)).collect();
                faults.push(undeclared(&format!("require.callers[{index}]"), "service or client", caller, &known));
            }
        }
        faults
    }

    fn scopes<'s>(&self, field: &str, scopes: &[String], services: impl Iterator<Item = &'s str>) -> Vec<Fault> {
        let of_services = services.filter_map(|service| self.service(service)).flat_map(|service| &service.scopes);
        let known: BTreeSet<&str> = REALM_SCOPES.into_iter().chain(of_services.map(|scope| scope.name.as_str())).collect();
        let unknown = scopes.iter().enumerate().filter(|(_, scope)| !known.contains(scope.as_str()));
        unknown.map(|(index, scope)| undeclared(&format!("{field}[{index}]"), "scope of its services", scope, &known)).collect()
    }

    fn all(&self, kind: ResourceKind, field: &str, names: &[String]) -> Vec<Fault> {
        names.iter().enumerate().filter_map(|(index, name)| self.one(kind, &format!("{field}[{index}]"), name)).collect()
    }

    fn one(&self, kind: ResourceKind, field: &str, name: &str) -> Option<Fault> {
        (!self.exists(kind, name)).then(|| undeclared(field, kind.name(), name, &self.names(kind)))
    }

    fn names(&self, kind: ResourceKind) -> BTreeSet<&str> {
        let of_kind = |(realm, other, _): &&(String, ResourceKind, String)| *realm == self.realm && *other == kind;
        self.snapshot.resources().keys().filter(of_kind).map(|(.., name)| name.as_str()).collect()
    }
}

fn undeclared(field: &str, what: &str, found: &str, known: &BTreeSet<&str>) -> Fault {
    let advice = match nearest(found, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => format!("expected one of {}", listed(known)),
    };
    Fault {
        kind: ResourceKind::Realm,
        name: String::new(),
        field: field.to_owned(),
        found: Some(found.to_owned()),
        place: None,
        message: format!("the {what} \"{found}\" is not declared ({advice})"),
    }
}

/// At most eight of them.
fn listed(names: &BTreeSet<&str>) -> String {
    let shown: Vec<&str> = names.iter().copied().take(8).collect();
    let more = names.len() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}
