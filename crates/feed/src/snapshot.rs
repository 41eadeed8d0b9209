//! The present state of the feed, and the rules by which it moves: dense numbers, grow-only revocations.

use std::collections::BTreeMap;
use std::sync::Arc;

use durward_base::{KeyId, Timestamp};
use durward_model::resource::Client;
use durward_model::{Change, ClientSecret, Key, Position, Record, Resource, ResourceKind, Stored};

use crate::{Delta, Revocations};

/// A resource's place in a snapshot: the realm's name, the kind, the resource's name.
pub type ResourceKey = (String, ResourceKind, String);

/// Everything declared, every key, every revocation, as of one position. Cloning is cheap: a change copies only the map it is in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    position: Position,
    resources: Arc<BTreeMap<ResourceKey, Arc<Stored>>>,
    keys: Arc<BTreeMap<String, Arc<Key>>>,
    client_secrets: Arc<BTreeMap<KeyId, Arc<ClientSecret>>>,
    revocations: Revocations,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The state moved on by one.
    Moved,
    /// It was known already; nothing changed.
    Known,
}

/// The feed does not continue where this state ends: take a new snapshot and `union` it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the feed goes on after {found:?} but this state is at {known:?}: resynchronise")]
pub struct Gap {
    /// Where this state is.
    pub known: Position,
    /// Where what came begins: the position before its first change.
    pub found: Position,
}

impl Snapshot {
    /// The state that these records make, as of `position`.
    pub fn new(position: Position, records: impl IntoIterator<Item = Record>) -> Self {
        let mut snapshot = Self { position, ..Self::default() };
        records.into_iter().for_each(|record| snapshot.put(record));
        snapshot
    }

    /// As of where in the feed.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// All resources, by realm, kind and name.
    pub const fn resources(&self) -> &Arc<BTreeMap<ResourceKey, Arc<Stored>>> {
        &self.resources
    }

    /// One resource.
    pub fn resource(&self, realm: &str, kind: ResourceKind, name: &str) -> Option<&Arc<Stored>> {
        self.resources.get(&(realm.to_owned(), kind, name.to_owned()))
    }

    /// All keys, by `kid`.
    pub const fn keys(&self) -> &Arc<BTreeMap<String, Arc<Key>>> {
        &self.keys
    }

    /// All clients' secrets by id; empty outside the authority.
    pub const fn client_secrets(&self) -> &Arc<BTreeMap<KeyId, Arc<ClientSecret>>> {
        &self.client_secrets
    }

    /// Everything revoked.
    pub const fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// The records that make this state, in an order in which they may be applied.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        let resources = self.resources.values().map(|stored| Record::Resource(Box::new(Stored::clone(stored))));
        let keys = self.keys.values().map(|key| Record::Key(Key::clone(key)));
        let secrets = self.client_secrets.values().map(|secret| Record::ClientSecret(ClientSecret::clone(secret)));
        let revocations = self.revocations.iter().map(|revocation| Record::Revocation(revocation.clone()));
        resources.chain(keys).chain(secrets).chain(revocations)
    }

    /// Moves on by one change. One already known is passed over.
    ///
    /// # Errors
    /// `Gap` when a change is missing before it, or it is of another epoch; nothing is changed then.
    pub fn apply(&mut self, change: Change) -> Result<Applied, Gap> {
        let Position { epoch, seq } = change.position;
        if epoch == self.position.epoch && seq <= self.position.seq {
            return Ok(Applied::Known);
        }
        if epoch != self.position.epoch || seq != self.position.seq + 1 {
            return Err(Gap { known: self.position, found: Position { epoch, seq: seq.saturating_sub(1) } });
        }
        self.put(change.record);
        self.position = change.position;
        Ok(Applied::Moved)
    }

    /// Moves on by a stretch of the feed, in which what is not for nodes was left out.
    ///
    /// # Errors
    /// `Gap` when the stretch begins after this state ends, or is of another epoch; nothing is changed then.
    pub fn advance(&mut self, delta: Delta) -> Result<Applied, Gap> {
        let found = Position { epoch: delta.epoch, seq: delta.after };
        if delta.epoch != self.position.epoch || delta.after > self.position.seq {
            return Err(Gap { known: self.position, found });
        }
        if delta.through <= self.position.seq {
            return Ok(Applied::Known);
        }
        let known = self.position;
        delta.changes.into_iter().filter(|change| change.position > known).for_each(|change| self.put(change.record));
        self.position.seq = delta.through;
        Ok(Applied::Moved)
    }

    /// Takes over a new snapshot. Revocations known here stay until they expire, so that a restored database cannot un-revoke anything.
    pub fn union(&mut self, new: Snapshot) {
        let known = std::mem::replace(self, new).revocations;
        let mut revocations = known;
        self.revocations.iter().for_each(|revocation| revocations.insert(revocation.clone()));
        self.revocations = revocations;
    }

    /// Forgets revocations that have expired; returns how many.
    pub fn expire(&mut self, now: Timestamp) -> usize {
        self.revocations.expire(now)
    }

    fn put(&mut self, record: Record) {
        match record {
            Record::Resource(stored) => {
                let key = (stored.realm.clone(), stored.resource.kind(), stored.resource.name().to_owned());
                Arc::make_mut(&mut self.resources).insert(key, Arc::new(*stored));
            }
            Record::ResourceDeleted { realm, kind, name } => {
                Arc::make_mut(&mut self.resources).remove(&(realm, kind, name));
            }
            Record::Key(key) => {
                Arc::make_mut(&mut self.keys).insert(key.kid.clone(), Arc::new(key));
            }
            Record::Revocation(revocation) => self.revocations.insert(revocation),
            Record::ClientSecret(secret) => {
                Arc::make_mut(&mut self.client_secrets).insert(secret.id, Arc::new(secret));
            }
        }
    }
}

/// A record as nodes may know it: no hashes, no people, and of a client only its name, its roles, what it runs and whether it is disabled.
pub fn for_nodes(record: Record) -> Option<Record> {
    if !record.is_for_nodes() {
        return None;
    }
    let Record::Resource(mut stored) = record else { return Some(record) };
    match stored.resource {
        Resource::Person(_) => return None,
        Resource::Client(client) => stored.resource = Resource::Client(stripped(client)),
        _ => {}
    }
    Some(Record::Resource(stored))
}

fn stripped(client: Client) -> Client {
    let Client { name, roles, runs, disabled, .. } = client;
    Client { name, roles, runs, disabled, ..Client::default() }
}

#[cfg(test)]
mod tests;
