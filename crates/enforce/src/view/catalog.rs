//! Resources of one kind in one realm, by name.

use std::collections::HashMap;
use std::sync::Arc;

use durward_base::{ClientId, ResourceId};
use durward_feed::Snapshot;
use durward_model::resource::{Client, Group, Resource, Role, Service, TrustedIssuer};
use durward_model::{ResourceKind, Stored};

/// A resource with what the store knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared<T> {
    /// Its id, never reused.
    pub id: ResourceId,
    /// Counts changes, from 1.
    pub version: u64,
    /// The resource.
    pub resource: T,
}

/// The resources of one kind in one realm.
#[derive(Debug, Clone)]
pub struct Catalog<T>(HashMap<String, Arc<Declared<T>>>);

/// A kind that is kept in catalogs.
pub trait Catalogued: Clone {
    /// The kind.
    const KIND: ResourceKind;

    /// The resource, when it is of this kind.
    fn of(resource: &Resource) -> Option<&Self>;
}

impl Declared<Client> {
    /// The client's id inside.
    pub const fn client_id(&self) -> ClientId {
        ClientId::from_bytes(self.id.to_bytes())
    }
}

impl<T> Catalog<T> {
    /// The resource of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Declared<T>>> {
        self.0.get(name)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<Declared<T>>)> {
        self.0.iter().map(|(name, declared)| (name.as_str(), declared))
    }
}

impl<T> Default for Catalog<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Catalogued> Catalog<T> {
    /// The realm's resources of this kind; those that are as they were before are taken over.
    pub(super) fn compile(realm: &str, snapshot: &Snapshot, before: Option<&Self>) -> Self {
        let known = |stored: &Stored| {
            let known = before?.get(stored.resource.name())?;
            (known.id == stored.id && known.version == stored.version).then(|| Arc::clone(known))
        };
        let made = |stored: &Stored| {
            let resource = T::of(&stored.resource)?.clone();
            Some(Arc::new(Declared { id: stored.id, version: stored.version, resource }))
        };
        let declared = |stored: &Arc<Stored>| Some((stored.resource.name().to_owned(), known(stored).or_else(|| made(stored))?));
        Self(of_kind(snapshot, realm, T::KIND).filter_map(declared).collect())
    }
}

/// The realm's resources of one kind, by name.
pub(super) fn of_kind<'a>(snapshot: &'a Snapshot, realm: &str, kind: ResourceKind) -> impl Iterator<Item = &'a Arc<Stored>> {
    let first = (realm.to_owned(), kind, String::new());
    let range = snapshot.resources().range(first..);
    let realm = realm.to_owned();
    range.take_while(move |((of, is, _), _)| *of == realm && *is == kind).map(|(_, stored)| stored)
}

macro_rules! catalogued {
    ($($kind:ident),*) => {$(
        impl Catalogued for $kind {
            const KIND: ResourceKind = ResourceKind::$kind;

            fn of(resource: &Resource) -> Option<&Self> {
                match resource {
                    Resource::$kind(resource) => Some(resource),
                    _ => None,
                }
            }
        }
    )*};
}

catalogued!(Client, Service, Role, Group, TrustedIssuer);
