//! What a change entails: its writes, and the revocation of whatever it takes away, in one batch.

use std::collections::BTreeSet;

use durward_base::{ClientId, KeyId, PersonId, RealmId, ResourceId, Rng, Timestamp, base64url};
use durward_feed::Snapshot;
use durward_model::resource::{Client, Group, Origin, PersonResource, Realm, Service, TrustedIssuer};
use durward_model::{ClientSecret, Person, Resource, ResourceKind, Revocation, RevocationKind, Stored, Write};
use durward_seal::SecretHasher;

use super::draft::{Change, Draft, Known};

/// What it takes to write a draft.
pub(crate) struct Writer<'a> {
    pub snapshot: &'a Snapshot,
    pub hasher: &'a SecretHasher,
    pub now: Timestamp,
    pub rng: &'a Rng,
}

impl Writer<'_> {
    /// The writes of a draft, each guarded by the version it was made against.
    pub(crate) fn writes(&self, draft: &Draft) -> Vec<Write> {
        let mut writes = Vec::new();
        let mut realm_id = self.realm_id(&draft.realm);
        for change in &draft.changes {
            match (&change.before, &change.after) {
                (None, Some(Resource::Person(after))) => writes.push(self.create_person(&draft.realm, after, change)),
                (Some(Known::Person(before)), Some(Resource::Person(after))) => self.change_person(before, after, change, &mut writes),
                (Some(Known::Person(before)), _) => self.delete_person(before, &mut writes),
                (Some(Known::Stored(before)), None) => self.delete(before, &mut writes),
                (before, Some(after)) => {
                    let before = match before {
                        Some(Known::Stored(before)) => Some(&**before),
                        _ => None,
                    };
                    let stored = self.put(&draft.realm, before, after, &mut writes);
                    if stored.resource.kind() == ResourceKind::Realm && stored.realm == draft.realm {
                        realm_id = Some(RealmId::from_bytes(stored.id.to_bytes()));
                    }
                    self.change_secrets(&stored, realm_id, change, &mut writes);
                }
                (None, None) => {}
            }
        }
        unique(writes)
    }

    fn put(&self, realm: &str, before: Option<&Stored>, after: &Resource, writes: &mut Vec<Write>) -> Stored {
        let realm = if after.kind() == ResourceKind::Realm { after.name() } else { realm };
        let stored = Stored {
            id: before.map_or_else(|| ResourceId::new(self.now, self.rng), |before| before.id),
            realm: realm.to_owned(),
            version: before.map_or(0, |before| before.version) + 1,
            resource: after.clone(),
        };
        writes.push(Write::PutResource { stored: Box::new(stored.clone()), expected: before.map(|before| before.version) });
        writes.extend(before.and_then(|before| self.lost(realm, &before.resource, after)).map(Write::Revoke));
        stored
    }

    fn delete(&self, before: &Stored, writes: &mut Vec<Write>) {
        let (realm, kind, name) = (&before.realm, before.resource.kind(), before.resource.name());
        writes.push(Write::DeleteResource { realm: realm.clone(), kind, name: name.to_owned(), expected: before.version });
        let revoked = match &before.resource {
            Resource::Client(_) => Some((RevocationKind::Client, name)),
            // Its subjects are not known by name here, so that their tokens die with all others.
            Resource::TrustedIssuer(_) | Resource::Realm(_) | Resource::Service(_) => Some((RevocationKind::Realm, realm.as_str())),
            // Who holds a role or is in a group loses it by a change of their own; the others are asked for at each request.
            Resource::Role(_)
            | Resource::Group(_)
            | Resource::Route(_)
            | Resource::Policy(_)
            | Resource::Schema(_)
            | Resource::Person(_) => None,
        };
        writes.extend(revoked.map(|(kind, key)| Write::Revoke(Revocation::new(realm, kind, key, self.now, "deleted"))));
        if let Resource::Client(metadata) = &before.resource {
            let client = ClientId::from_bytes(before.id.to_bytes());
            if metadata.origin == Origin::Registered {
                writes.push(Write::EndRegistration { realm: realm.clone(), client });
            }
            let live = |secret: &&std::sync::Arc<ClientSecret>| secret.client == client && secret.expires.is_none_or(|end| end > self.now);
            writes.extend(self.snapshot.client_secrets().values().filter(live).map(|secret| self.expire(realm, secret.id)));
        }
    }

    /// What must be revoked because a change takes something away: a role, a scope, a service, or all by disabling.
    fn lost(&self, realm: &str, before: &Resource, after: &Resource) -> Option<Revocation> {
        let revoked = |kind, key: &str, reason| Some(Revocation::new(realm, kind, key, self.now, reason));
        match (before, after) {
            (Resource::Realm(before), Resource::Realm(after)) => match realm_lost(before, after) {
                true => revoked(RevocationKind::Realm, &after.name, "disabled"),
                false => None,
            },
            (Resource::Client(before), Resource::Client(after)) => {
                client_lost(before, after).and_then(|reason| revoked(RevocationKind::Client, &after.name, reason))
            }
            (Resource::Service(before), Resource::Service(after)) => {
                service_lost(before, after).and_then(|reason| revoked(RevocationKind::Realm, realm, reason))
            }
            (Resource::Group(before), Resource::Group(after)) => match group_lost(before, after) {
                true => revoked(RevocationKind::Realm, realm, "role_lost"),
                false => None,
            },
            (Resource::TrustedIssuer(before), Resource::TrustedIssuer(after)) => {
                issuer_lost(before, after).and_then(|reason| revoked(RevocationKind::Realm, realm, reason))
            }
            // Nothing of these is in a token but a role's name, and a name does not change.
            (Resource::Role(_) | Resource::Route(_) | Resource::Policy(_) | Resource::Schema(_) | Resource::Person(_), _) => None,
            // A kind does not change either.
            (Resource::Realm(_) | Resource::Client(_) | Resource::TrustedIssuer(_) | Resource::Service(_) | Resource::Group(_), _) => None,
        }
    }

    fn change_secrets(&self, client: &Stored, realm: Option<RealmId>, change: &Change, writes: &mut Vec<Write>) {
        let Some(realm_id) = realm else { return };
        let client_id = ClientId::from_bytes(client.id.to_bytes());
        for secret in &change.secrets.add {
            writes.push(Write::PutClientSecret(ClientSecret {
                id: KeyId::new(self.now, self.rng),
                realm: client.realm.clone(),
                client: client_id,
                hash: base64url::encode(&self.hasher.hash(realm_id, client_id, secret)),
                created: self.now,
                expires: None,
            }));
        }
        writes.extend(change.secrets.expire.iter().map(|secret| self.expire(&client.realm, *secret)));
    }

    fn expire(&self, realm: &str, secret: KeyId) -> Write {
        Write::ExpireClientSecret { realm: realm.to_owned(), secret, at: self.now }
    }

    fn create_person(&self, realm: &str, after: &PersonResource, change: &Change) -> Write {
        let person = Person {
            id: PersonId::new(self.now, self.rng),
            realm: realm.to_owned(),
            sub: base64url::encode(&self.rng.bytes::<16>()),
            username: after.name.clone(),
            display_name: after.display_name.clone(),
            email: after.email.clone(),
            roles: after.roles.clone(),
            groups: after.groups.clone(),
            disabled: after.disabled,
            version: 1,
            created: self.now,
        };
        Write::CreatePerson { person, password_hash: change.password.clone() }
    }

    fn change_person(&self, before: &Person, after: &PersonResource, change: &Change, writes: &mut Vec<Write>) {
        let PersonResource { name: _, display_name, email, roles, groups, password: _, disabled } = after.clone();
        let person = Person { display_name, email, roles, groups, disabled, version: before.version + 1, ..before.clone() };
        writes.push(Write::UpdatePerson(person));
        if change.password.is_some() {
            writes.push(Write::SetPassword { realm: before.realm.clone(), person: before.id, hash: change.password.clone() });
        }
        let disabled = after.disabled && !before.disabled;
        if disabled || change.password.is_some() {
            writes.extend(end_logins(before, self.now, if disabled { "disabled" } else { "password_changed" }));
        } else if lacks(&after.roles, &before.roles) || lacks(&after.groups, &before.groups) {
            writes.push(Write::Revoke(Revocation::new(&before.realm, RevocationKind::Subject, &before.sub, self.now, "role_lost")));
        }
    }

    fn delete_person(&self, before: &Person, writes: &mut Vec<Write>) {
        writes.push(Write::DeletePerson { realm: before.realm.clone(), person: before.id });
        writes.push(Write::Revoke(Revocation::new(&before.realm, RevocationKind::Subject, &before.sub, self.now, "deleted")));
    }

    fn realm_id(&self, realm: &str) -> Option<RealmId> {
        self.snapshot.resource(realm, ResourceKind::Realm, realm).map(|stored| RealmId::from_bytes(stored.id.to_bytes()))
    }
}

/// Ends all logins of a person, and kills their tokens.
pub(crate) fn end_logins(person: &Person, now: Timestamp, reason: &'static str) -> [Write; 2] {
    let realm = person.realm.clone();
    [
        Write::EndSessionsOf { realm, person: person.id, at: now, reason },
        Write::Revoke(Revocation::new(&person.realm, RevocationKind::Subject, &person.sub, now, reason)),
    ]
}

const fn realm_lost(before: &Realm, after: &Realm) -> bool {
    after.disabled && !before.disabled
}

fn client_lost(before: &Client, after: &Client) -> Option<&'static str> {
    if after.disabled && !before.disabled {
        return Some("disabled");
    }
    let lists = [(&before.scopes, &after.scopes), (&before.services, &after.services), (&before.roles, &after.roles)];
    let lost = lists.iter().any(|(before, after)| lacks(after, before)) || lacks(&after.grants, &before.grants);
    let other = before.runs.is_some() && before.runs != after.runs;
    (lost || other).then_some("role_lost")
}

fn service_lost(before: &Service, after: &Service) -> Option<&'static str> {
    if after.disabled && !before.disabled {
        return Some("disabled");
    }
    let known = |scope: &str| after.scopes.iter().any(|other| other.name == scope);
    before.scopes.iter().any(|scope| !known(&scope.name)).then_some("role_lost")
}

fn group_lost(before: &Group, after: &Group) -> bool {
    lacks(&after.roles, &before.roles)
}

/// Keys come and go; what its subjects are, and what they have, stands in tokens.
fn issuer_lost(before: &TrustedIssuer, after: &TrustedIssuer) -> Option<&'static str> {
    if after.disabled && !before.disabled {
        return Some("disabled");
    }
    let said = |issuer: &TrustedIssuer| (issuer.issuer.clone(), issuer.subjects, issuer.subject_claim.clone(), issuer.roles_claim.clone());
    let roles = before.roles.iter().any(|(word, role)| after.roles.get(word) != Some(role));
    let taken = before.access_tokens.is_some() && before.access_tokens != after.access_tokens;
    (said(before) != said(after) || roles || taken || lacks(&after.scopes, &before.scopes)).then_some("role_lost")
}

/// Whether `has` misses anything of `had`.
fn lacks<T: PartialEq>(has: &[T], had: &[T]) -> bool {
    had.iter().any(|item| !has.contains(item))
}

/// The same revocation twice is one: two services that lose a scope cost the realm one watermark.
fn unique(writes: Vec<Write>) -> Vec<Write> {
    let mut seen: BTreeSet<(RevocationKind, String, String)> = BTreeSet::new();
    let mut first = |write: &Write| match write {
        Write::Revoke(revocation) => seen.insert((revocation.kind, revocation.realm.clone(), revocation.key.clone())),
        _ => true,
    };
    writes.into_iter().filter(|write| first(write)).collect()
}
