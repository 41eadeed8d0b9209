//! Nobody grants more than they hold (attacks R14, POL-012): what each change asks of the one who makes it.

use durward_feed::Snapshot;
use durward_model::resource::{Client, Group, PersonResource};
use durward_model::{AdminRole, Resource, ResourceKind};
use durward_oauth::builtin::MAIN_REALM;

use crate::plan::draft::{Change, Draft};

/// Roles whose names begin so administer Durward itself.
pub(crate) const ADMINISTRATIVE: &str = "durward-";

/// The first change of a draft that asks for more than `role`.
pub(crate) fn beyond<'d>(draft: &'d Draft, role: AdminRole, snapshot: &Snapshot) -> Option<(&'d Change, AdminRole)> {
    let needed = |change: &Change| {
        let before = change.before.as_ref().map(|known| needed_for(&known.resource(), &draft.realm, snapshot));
        let after = change.after.as_ref().map(|resource| needed_for(resource, &draft.realm, snapshot));
        [before, after].into_iter().flatten().fold(AdminRole::Operator, |most, needed| if needed.holds(most) { needed } else { most })
    };
    draft.changes.iter().map(|change| (change, needed(change))).find(|(_, needed)| !role.holds(*needed))
}

/// Who may make, change or delete such a resource.
pub(crate) fn needed_for(resource: &Resource, realm: &str, snapshot: &Snapshot) -> AdminRole {
    let administers = match resource {
        Resource::Realm(_) => true,
        Resource::Role(role) => role.name.starts_with(ADMINISTRATIVE),
        Resource::Group(Group { roles, .. }) | Resource::Client(Client { roles, .. }) => any_administrative(roles),
        Resource::Person(person) => is_administrator(person, realm, snapshot),
        Resource::TrustedIssuer(issuer) => issuer.roles.values().any(|role| role.starts_with(ADMINISTRATIVE)),
        // One about issuing could leave administrators without a token: they are people of that realm.
        Resource::Policy(policy) => realm == MAIN_REALM && durward_policy::are_about_issuing(&policy.text),
        Resource::Service(_) | Resource::Route(_) | Resource::Schema(_) => false,
    };
    if administers { AdminRole::Admin } else { AdminRole::Operator }
}

/// Whether a person holds an administrative role, by themselves or by a group.
pub(crate) fn is_administrator(person: &PersonResource, realm: &str, snapshot: &Snapshot) -> bool {
    let by_group = |group: &String| match snapshot.resource(realm, ResourceKind::Group, group).map(|stored| &stored.resource) {
        Some(Resource::Group(group)) => any_administrative(&group.roles),
        _ => false,
    };
    any_administrative(&person.roles) || person.groups.iter().any(by_group)
}

fn any_administrative(roles: &[String]) -> bool {
    roles.iter().any(|role| role.starts_with(ADMINISTRATIVE))
}
