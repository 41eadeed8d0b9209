//! A map that forgets its oldest entry when it is full.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use durward_base::Timestamp;

#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    entries: HashMap<K, (Timestamp, V)>,
    by_age: BTreeSet<(Timestamp, K)>,
    capacity: usize,
}

impl<K: Clone + Eq + Hash + Ord, V> Bounded<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), by_age: BTreeSet::new(), capacity }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    pub(super) fn put(&mut self, key: K, value: V, now: Timestamp) {
        self.remove(&key);
        if self.entries.len() >= self.capacity
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.entries.remove(&oldest);
        }
        self.by_age.insert((now, key.clone()));
        self.entries.insert(key, (now, value));
    }

    pub(super) fn change(&mut self, key: &K, change: impl FnOnce(&mut V)) {
        if let Some((_, value)) = self.entries.get_mut(key) {
            change(value);
        }
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some((since, _)) = self.entries.remove(key) {
            self.by_age.remove(&(since, key.clone()));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.entries.len(), self.by_age.len());
        self.entries.len()
    }
}
