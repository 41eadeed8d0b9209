//! Whether what a change leads to will do, as a whole (attacks R14): every resource by its own rules, every name it uses, and the view that
//! every node would compile of it.

use std::collections::{BTreeMap, BTreeSet};

use durward_authn::Username;
use durward_enforce::View;
use durward_feed::Snapshot;
use durward_model::resource::{PersonResource, name_fault};
use durward_model::{AdminRole, Change as FeedChange, Person, Position, Record, Resource, ResourceKind, Stored};
use durward_oauth::{client_metadata, trusted_issuer};

use super::Fault;
use super::draft::{Current, Draft, Known, declared};
use super::references::References;
use crate::escalation::ADMINISTRATIVE;

/// The faults that a draft brings: all of those of what it touches, and those of others that were none before. `view` is the present one, or
/// any: what it has compiled already need not be compiled to be found right.
pub(crate) fn brought_by(draft: &Draft, current: &Current, view: &View) -> Vec<Fault> {
    let touched: BTreeSet<(ResourceKind, &str)> = draft.changes.iter().map(|change| (change.kind, change.name.as_str())).collect();
    let before: BTreeSet<Fault> = State::before(current).faults(&current.realm, view).into_iter().collect();
    let mut faults = State::after(draft, current).faults(&current.realm, view);
    faults.retain(|fault| touched.contains(&(fault.kind, fault.name.as_str())) || !before.contains(fault));
    faults
}

/// What there is, or would be.
struct State {
    snapshot: Snapshot,
    people: BTreeMap<String, PersonResource>,
}

impl State {
    fn before(current: &Current) -> Self {
        let people = current.people.iter().map(|(name, person): (&String, &Person)| (name.clone(), declared(person)));
        Self { snapshot: current.snapshot.clone(), people: people.collect() }
    }

    fn after(draft: &Draft, current: &Current) -> Self {
        let mut state = Self::before(current);
        for change in &draft.changes {
            match (&change.after, &change.before) {
                (Some(Resource::Person(person)), _) => drop(state.people.insert(change.name.clone(), person.clone())),
                (None, Some(Known::Person(_))) => drop(state.people.remove(&change.name)),
                (Some(resource), before) => {
                    let (id, version) = match before {
                        Some(Known::Stored(stored)) => (stored.id, stored.version),
                        _ => (durward_base::ResourceId::from_bytes([0xff; 16]), 0),
                    };
                    let realm = current.owner(change.kind, &change.name).to_owned();
                    state.put(Record::Resource(Box::new(Stored { id, realm, version: version + 1, resource: resource.clone() })));
                }
                (None, _) => {
                    let realm = current.owner(change.kind, &change.name).to_owned();
                    state.put(Record::ResourceDeleted { realm, kind: change.kind, name: change.name.clone() });
                }
            }
        }
        state
    }

    /// A record put at the next place of the feed always applies.
    fn put(&mut self, record: Record) {
        let Position { epoch, seq } = self.snapshot.position();
        let _ = self.snapshot.apply(FeedChange { position: Position { epoch, seq: seq + 1 }, record });
    }

    fn faults(&self, realm: &str, view: &View) -> Vec<Fault> {
        let references = References { snapshot: &self.snapshot, realm };
        let stored =
            self.snapshot.resources().values().filter(|stored| stored.realm == realm || stored.resource.kind() == ResourceKind::Realm);
        let people = self.people.values().cloned().map(Resource::Person);
        let mut faults = Vec::new();
        for resource in stored.map(|stored| stored.resource.clone()).chain(people) {
            faults.extend(references.dangling(&resource));
            faults.extend(own(&resource, &references));
        }
        let problems = view.problems_of(&self.snapshot);
        faults.extend(problems.into_iter().filter_map(|problem| {
            let kind = problem.kind?;
            let field = if matches!(kind, ResourceKind::Policy | ResourceKind::Schema) { "text" } else { "" };
            // All realms share the gateway's table of routes: one of this realm can make one of another impossible.
            let name = if problem.realm == realm { problem.name } else { format!("{}/{}", problem.realm, problem.name) };
            Some(Fault { kind, name, field: field.to_owned(), found: None, place: problem.place, message: problem.message })
        }));
        // The first that is said of a field is the most telling.
        let mut seen = BTreeSet::new();
        faults.retain(|fault| seen.insert((fault.kind, fault.name.clone(), fault.field.clone())));
        faults
    }
}

/// The rules that a resource must keep by itself.
fn own(resource: &Resource, references: &References<'_>) -> Vec<Fault> {
    let fault = |field: &str, message: String| Fault {
        kind: resource.kind(),
        name: resource.name().to_owned(),
        field: field.to_owned(),
        found: None,
        place: None,
        message,
    };
    let problems = match resource {
        Resource::Realm(realm) => client_metadata::realm(realm),
        Resource::Client(client) => client_metadata::client(client, references),
        Resource::Service(service) => client_metadata::service(service, references),
        Resource::TrustedIssuer(issuer) => trusted_issuer::problems(issuer),
        Resource::Person(person) => return person_rules(person).into_iter().map(|(field, message)| fault(field, message)).collect(),
        Resource::Role(role) => {
            let reserved = role.name.starts_with(ADMINISTRATIVE).then(|| {
                let built_in = AdminRole::from_name(&role.name).map_or("names that begin so are kept", |_| "it is built in");
                fault("name", format!("\"{}\" cannot be declared: {built_in}", role.name))
            });
            return name_fault(&role.name).map(|message| fault("name", message)).into_iter().chain(reserved).collect();
        }
        Resource::Group(_) | Resource::Route(_) | Resource::Policy(_) | Resource::Schema(_) => {
            return name_fault(resource.name()).map(|message| fault("name", message)).into_iter().collect();
        }
    };
    problems.into_iter().map(|problem| fault(&problem.field, problem.message)).collect()
}

fn person_rules(person: &PersonResource) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    match Username::parse(&person.name) {
        Ok(canonical) if canonical.as_str() == person.name => {}
        Ok(canonical) => faults.push(("name", format!("expected the canonical spelling `{}`", canonical.as_str()))),
        Err(error) => faults.push(("name", error.to_string())),
    }
    if matches!(person.name.as_str(), "." | "..") {
        faults.push(("name", "`.` and `..` are no segments of a path: choose another name".to_owned()));
    }
    for (field, value, most) in [("display_name", &person.display_name, 200), ("email", &person.email, 254)] {
        let plain = |text: &String| !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control);
        if value.as_ref().is_some_and(|text| !plain(text)) {
            faults.push((field, format!("expected 1 to {most} characters, none of them a control character")));
        }
    }
    if person.email.as_ref().is_some_and(|email| email.split('@').filter(|part| !part.is_empty()).count() != 2 || email.contains(' ')) {
        faults.push(("email", "expected an address like name@example.org".to_owned()));
    }
    faults
}
