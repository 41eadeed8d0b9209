//! What differs between what a realm has and what it is asked to have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use durward_base::{ClientId, KeyId, RealmId, Secret, Timestamp};
use durward_feed::Snapshot;
use durward_model::resource::{Origin, PersonResource};
use durward_model::{ClientSecret, Person, Resource, ResourceKind, Stored};
use durward_oauth::registration::has_secret;
use durward_seal::SecretHasher;
use serde_json::{Map, Value, json};

use super::{Difference, Item, Plan};

/// What a realm has: the declared state of the whole installation, and those of its people who may be concerned.
pub(crate) struct Current {
    pub realm: String,
    pub snapshot: Snapshot,
    pub people: BTreeMap<String, Person>,
}

/// What is asked for, with the slow work done.
pub(crate) struct Asked {
    pub resources: Vec<Resource>,
    pub secrets: BTreeMap<String, Vec<Secret>>,
    /// argon2id hashes in PHC form of those passwords that differ from what is stored.
    pub passwords: BTreeMap<String, String>,
    /// Resources to delete by name.
    pub delete: Vec<(ResourceKind, String)>,
    pub prune: bool,
}

/// A resource as it is now.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Stored(Arc<Stored>),
    Person(Person),
}

/// One resource that is made, changed or deleted.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub kind: ResourceKind,
    pub name: String,
    pub before: Option<Known>,
    pub after: Option<Resource>,
    pub fields: Vec<Difference>,
    pub secrets: SecretChanges,
    /// argon2id in PHC form.
    pub password: Option<String>,
}

/// What becomes of a client's secrets.
#[derive(Debug, Clone, Default)]
pub(crate) struct SecretChanges {
    pub add: Vec<Secret>,
    pub expire: Vec<KeyId>,
}

/// Everything that differs.
pub(crate) struct Draft {
    pub realm: String,
    pub changes: Vec<Change>,
    pub unchanged: usize,
}

impl Known {
    pub(crate) fn resource(&self) -> Resource {
        match self {
            Self::Stored(stored) => stored.resource.clone(),
            Self::Person(person) => Resource::Person(declared(person)),
        }
    }
}

impl Current {
    /// The resource of this name. A realm is stored under its own name.
    pub(crate) fn find(&self, kind: ResourceKind, name: &str) -> Option<Known> {
        match kind {
            ResourceKind::Person => self.people.get(name).cloned().map(Known::Person),
            _ => self.snapshot.resource(self.owner(kind, name), kind, name).cloned().map(Known::Stored),
        }
    }

    /// The realm under whose name a resource is stored.
    pub(crate) fn owner<'a>(&'a self, kind: ResourceKind, name: &'a str) -> &'a str {
        if kind == ResourceKind::Realm { name } else { &self.realm }
    }

    /// Kind and name of everything in the realm but the realm itself.
    fn names(&self) -> impl Iterator<Item = (ResourceKind, &String)> {
        let declared = self.snapshot.resources().keys().filter(|(realm, kind, _)| *realm == self.realm && *kind != ResourceKind::Realm);
        declared.map(|(_, kind, name)| (*kind, name)).chain(self.people.keys().map(|name| (ResourceKind::Person, name)))
    }

    /// The secrets of a client that are accepted at `now`.
    pub(crate) fn secrets(&self, client: ClientId, now: Timestamp) -> impl Iterator<Item = &Arc<ClientSecret>> {
        let realm = self.realm.as_str();
        let of_client = move |secret: &&Arc<ClientSecret>| secret.realm == realm && secret.client == client;
        self.snapshot.client_secrets().values().filter(of_client).filter(move |secret| secret.expires.is_none_or(|end| end > now))
    }
}

impl Draft {
    /// Compares.
    pub(crate) fn new(current: &Current, asked: &Asked, hasher: &SecretHasher, now: Timestamp) -> Self {
        let mut draft = Self { realm: current.realm.clone(), changes: Vec::new(), unchanged: 0 };
        for resource in &asked.resources {
            let change = draft.compared(current, asked, resource, hasher, now);
            if change.before.is_some() && change.fields.is_empty() {
                draft.unchanged += 1;
            } else {
                draft.changes.push(change);
            }
        }
        draft.changes.sort_by_key(|change| change.kind);
        draft.changes.extend(deletions(current, asked));
        draft
    }

    /// The plan that shows it.
    pub(crate) fn plan(&self) -> Plan {
        let mut plan = Plan { unchanged: self.unchanged, ..Plan::default() };
        for change in &self.changes {
            let item = Item { kind: change.kind, name: change.name.clone(), fields: change.fields.clone() };
            match (&change.before, &change.after) {
                (None, _) => plan.create.push(Item { fields: Vec::new(), ..item }),
                (Some(_), Some(_)) => plan.update.push(item),
                (Some(_), None) => plan.delete.push(item),
            }
        }
        plan
    }

    fn compared(&self, current: &Current, asked: &Asked, after: &Resource, hasher: &SecretHasher, now: Timestamp) -> Change {
        let (kind, name) = (after.kind(), after.name().to_owned());
        let before = current.find(kind, &name);
        let mut fields = before.as_ref().map(|before| differences(&before.resource(), after)).unwrap_or_default();
        let mut secrets = SecretChanges::default();
        // Where none are named, those it has stay; where its method has none, they go, and never come back with another method.
        let none: &[Secret] = &[];
        let asked_secrets = asked.secrets.get(&name).map(Vec::as_slice).or_else(|| uses_no_secret(after).then_some(none));
        if let (ResourceKind::Client, Some(asked)) = (kind, asked_secrets) {
            secrets = secret_changes(current, before.as_ref(), asked, hasher, now);
            if !secrets.add.is_empty() || !secrets.expire.is_empty() {
                fields.push(secret_difference(&secrets));
            }
        }
        let password = asked.passwords.get(&name).filter(|_| kind == ResourceKind::Person).cloned();
        if password.is_some() {
            fields.push(Difference { field: "password".to_owned(), from: Value::Null, to: json!("(new)") });
        }
        Change { kind, name, before, after: Some(after.clone()), fields, secrets, password }
    }
}

impl Change {
    /// A resource that goes.
    fn deletion(kind: ResourceKind, name: &str, before: Known) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            before: Some(before),
            after: None,
            fields: Vec::new(),
            secrets: SecretChanges::default(),
            password: None,
        }
    }
}

/// What goes, those that refer to others first.
fn deletions(current: &Current, asked: &Asked) -> Vec<Change> {
    let mut names: BTreeSet<(ResourceKind, &String)> = asked.delete.iter().map(|(kind, name)| (*kind, name)).collect();
    if asked.prune {
        let kept: BTreeSet<(ResourceKind, &str)> = asked.resources.iter().map(|resource| (resource.kind(), resource.name())).collect();
        let people = asked.resources.iter().any(|resource| resource.kind() == ResourceKind::Person);
        let may_go =
            |(kind, name): &(ResourceKind, &String)| !kept.contains(&(*kind, name.as_str())) && (people || *kind != ResourceKind::Person);
        // Clients that registered themselves were never among what is declared.
        let declared =
            |(kind, name): &(ResourceKind, &String)| !current.find(*kind, name).is_some_and(|known| is_registered(&known.resource()));
        names.extend(current.names().filter(may_go).filter(declared));
    }
    let deleted = |(kind, name): (ResourceKind, &String)| Some(Change::deletion(kind, name, current.find(kind, name)?));
    names.into_iter().rev().filter_map(deleted).collect()
}

fn uses_no_secret(resource: &Resource) -> bool {
    matches!(resource, Resource::Client(client) if !has_secret(client))
}

fn is_registered(resource: &Resource) -> bool {
    matches!(resource, Resource::Client(client) if client.origin == Origin::Registered)
}

/// The fields whose JSON differs. Kind and name are what two versions of a resource have in common.
fn differences(before: &Resource, after: &Resource) -> Vec<Difference> {
    let (mut before, after) = (fields(before), fields(after));
    let mut differences: Vec<Difference> =
        after.into_iter().map(|(field, to)| Difference { from: before.remove(&field).unwrap_or_default(), field, to }).collect();
    differences.extend(before.into_iter().map(|(field, from)| Difference { field, from, to: Value::Null }));
    differences.retain(|difference| difference.from != difference.to);
    differences
}

fn fields(resource: &Resource) -> Map<String, Value> {
    match serde_json::to_value(resource) {
        Ok(Value::Object(mut fields)) => {
            fields.remove("kind");
            fields.remove("name");
            fields
        }
        _ => Map::new(),
    }
}

/// Those asked for that are not accepted for good yet, and those accepted that are not asked for.
fn secret_changes(current: &Current, before: Option<&Known>, asked: &[Secret], hasher: &SecretHasher, now: Timestamp) -> SecretChanges {
    let known = match (before, current.snapshot.resource(&current.realm, ResourceKind::Realm, &current.realm)) {
        (Some(Known::Stored(client)), Some(realm)) => {
            Some((RealmId::from_bytes(realm.id.to_bytes()), ClientId::from_bytes(client.id.to_bytes())))
        }
        _ => None,
    };
    let Some((realm, client)) = known else { return SecretChanges { add: asked.to_vec(), expire: Vec::new() } };
    let hashed = |secret: &Secret| durward_base::base64url::encode(&hasher.hash(realm, client, secret));
    let asked: Vec<(String, &Secret)> = asked.iter().map(|secret| (hashed(secret), secret)).collect();
    let accepted: Vec<_> = current.secrets(client, now).collect();
    let stays = |hash: &String| accepted.iter().any(|secret| secret.expires.is_none() && secret.hash == *hash);
    let wanted = |secret: &ClientSecret| secret.expires.is_none() && asked.iter().any(|(hash, _)| *hash == secret.hash);
    SecretChanges {
        add: asked.iter().filter(|(hash, _)| !stays(hash)).map(|(_, secret)| Secret::clone(secret)).collect(),
        expire: accepted.iter().filter(|secret| !wanted(secret)).map(|secret| secret.id).collect(),
    }
}

fn secret_difference(changes: &SecretChanges) -> Difference {
    let counted = |count: usize, what: &str| if count == 0 { Value::Null } else { json!(format!("({count} {what})")) };
    Difference { field: "secrets".to_owned(), from: counted(changes.expire.len(), "retired"), to: counted(changes.add.len(), "new") }
}

/// A person as they would be declared.
pub(crate) fn declared(person: &Person) -> PersonResource {
    PersonResource {
        name: person.username.clone(),
        display_name: person.display_name.clone(),
        email: person.email.clone(),
        roles: person.roles.clone(),
        groups: person.groups.clone(),
        password: None,
        disabled: person.disabled,
    }
}
