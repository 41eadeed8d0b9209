//! The scope index: from principal, action and resource to the few policies whose scope can match, whatever their number.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{ActionConstraint, EntityTypeName, EntityUid, PrincipalConstraint, ResourceConstraint};

use crate::document::Entry;
use crate::issue::ISSUE;
use crate::schema::Action;

/// Policies by action, then principal, then resource. A policy stands in exactly one place for each action it concerns.
#[derive(Debug, Default)]
pub(crate) struct Index(HashMap<String, Level<Level<Vec<u32>>>>);

/// What a part of the scope may say: anything, anything of a type, one entity, or whatever (of a type) is in one.
#[derive(Debug, Default)]
struct Level<T> {
    any: T,
    types: HashMap<EntityTypeName, T>,
    entities: HashMap<EntityUid, T>,
    within: HashMap<EntityUid, HashMap<Option<EntityTypeName>, T>>,
}

enum Scope {
    Any,
    Type(EntityTypeName),
    Entity(EntityUid),
    Within(Option<EntityTypeName>, EntityUid),
}

impl Index {
    pub(crate) fn build(entries: &[Arc<Entry>], actions: &HashMap<String, Action>) -> Self {
        let mut index = Self::default();
        for (entry, number) in entries.iter().zip(0..) {
            let constraint = entry.policy.action_constraint();
            for (id, action) in actions {
                let concerned = match &constraint {
                    // What may be issued is the business of policies that say so, and of no lock on requests.
                    ActionConstraint::Any => id != ISSUE,
                    ActionConstraint::Eq(uid) => *uid == action.uid,
                    ActionConstraint::In(uids) => uids.contains(&action.uid),
                };
                if concerned {
                    let (principal, resource) = scope(entry);
                    index.0.entry(id.clone()).or_default().slot(principal).slot(resource).push(number);
                }
            }
        }
        index
    }

    /// Whether any policy concerns the action.
    pub(crate) fn knows(&self, action: &str) -> bool {
        self.0.contains_key(action)
    }

    /// The numbers of the policies whose scope can match, ascending. `roles` are all that the principal is in; a resource is in nothing.
    pub(crate) fn candidates(&self, action: &str, principal: &EntityUid, roles: &[EntityUid], resource: &EntityUid) -> Vec<u32> {
        let mut found = Vec::new();
        let Some(principals) = self.0.get(action) else { return found };
        for resources in principals.matching(principal, roles) {
            found.extend(resources.matching(resource, &[]).flatten());
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl<T: Default> Level<T> {
    fn slot(&mut self, scope: Scope) -> &mut T {
        match scope {
            Scope::Any => &mut self.any,
            Scope::Type(name) => self.types.entry(name).or_default(),
            Scope::Entity(uid) => self.entities.entry(uid).or_default(),
            Scope::Within(name, uid) => self.within.entry(uid).or_default().entry(name).or_default(),
        }
    }

    /// What matches an entity that is in those `above`.
    fn matching<'a>(&'a self, entity: &'a EntityUid, above: &'a [EntityUid]) -> impl Iterator<Item = &'a T> {
        let of_type = if self.types.is_empty() { None } else { self.types.get(entity.type_name()) };
        let itself = if self.entities.is_empty() { None } else { self.entities.get(entity) };
        let around = if self.within.is_empty() { None } else { Some(std::iter::once(entity).chain(above)) };
        let within = around.into_iter().flatten().filter_map(|uid| self.within.get(uid)).flatten();
        let within = within.filter(|(name, _)| name.as_ref().is_none_or(|name| name == entity.type_name())).map(|(_, found)| found);
        std::iter::once(&self.any).chain(of_type).chain(itself).chain(within)
    }
}

fn scope(entry: &Entry) -> (Scope, Scope) {
    let principal = match entry.policy.principal_constraint() {
        PrincipalConstraint::Any => Scope::Any,
        PrincipalConstraint::Is(name) => Scope::Type(name),
        PrincipalConstraint::Eq(uid) => Scope::Entity(uid),
        PrincipalConstraint::In(uid) => Scope::Within(None, uid),
        PrincipalConstraint::IsIn(name, uid) => Scope::Within(Some(name), uid),
    };
    let resource = match entry.policy.resource_constraint() {
        ResourceConstraint::Any => Scope::Any,
        ResourceConstraint::Is(name) => Scope::Type(name),
        ResourceConstraint::Eq(uid) => Scope::Entity(uid),
        ResourceConstraint::In(uid) => Scope::Within(None, uid),
        ResourceConstraint::IsIn(name, uid) => Scope::Within(Some(name), uid),
    };
    (principal, resource)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::str::FromStr;

    use super::*;
    use crate::{Document, Policies};

    const SCHEMA: &str = "entity Stock; action \"read\", \"restock\" appliesTo { principal: [Durward::User], resource: [Stock] };";

    fn policies(number: usize) -> Policies {
        let text = |number| {
            format!(
                "permit (principal in Durward::Role::\"r{number}\", action == Action::\"restock\", resource);
                 permit (principal, action == Action::\"restock\", resource == Stock::\"s{number}\");
                 permit (principal == Durward::User::\"u{number}\", action, resource is Stock);"
            )
        };
        let text: String = (0..number).map(text).collect();
        let roles: Vec<_> = (0..number).map(|number| format!("r{number}")).collect();
        let roles: HashSet<_> = roles.iter().map(String::as_str).collect();
        Policies::compile(&[Document { name: "p", text: &text }], &[Document { name: "s", text: SCHEMA }], &roles).unwrap()
    }

    fn uid(text: &str) -> EntityUid {
        EntityUid::from_str(text).unwrap()
    }

    #[test]
    fn candidates_are_as_few_among_thousands_as_among_tens_pol_010() {
        for number in [4, 40, 400] {
            let policies = policies(number);
            let candidates = |action, who: &str, roles: &[EntityUid], what: &str| {
                policies.index.candidates(action, &uid(&format!("Durward::User::\"{who}\"")), roles, &uid(&format!("Stock::\"{what}\"")))
            };
            let role = [uid("Durward::Role::\"r1\"")];
            assert_eq!(candidates("restock", "u2", &role, "s3"), [3, 8, 10]);
            assert_eq!(candidates("restock", "nobody", &role, "other"), [3]);
            assert_eq!(candidates("read", "u2", &role, "s3"), [8]);
            assert!(candidates("read", "nobody", &role, "s3").is_empty());
            assert!(candidates("unknown", "u2", &role, "s3").is_empty());
        }
    }
}
