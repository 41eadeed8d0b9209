//! What the credential cache holds, within so many bytes: the signatures that were found good once, and the credentials that came again. A
//! flood of tokens that come once each throws out none that is in use.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use durward_jose::GoodSignature;

use crate::Verified;

/// What a credential is found by.
pub(super) type Key = [u8; 32];

const SHARDS: usize = 16;
/// Of the memory, this part is for what came once.
const ONCE: usize = 8;
/// What a signature takes: itself, in a table that is half full.
const SIGNATURE: usize = 2 * (size_of::<GoodSignature>() + 1);
/// What a credential takes besides itself: twice its key, and its place in a table that is half full.
const PLACE: usize = 2 * (size_of::<(Key, Slot)>() + 1) + 2 * size_of::<Key>();

/// In shards, so that few wait for each other.
#[derive(Debug)]
pub(super) struct Memory {
    shards: Box<[Mutex<Shard>]>,
    /// The most bytes for credentials in a shard.
    in_use: usize,
    /// The most signatures of each age in a shard.
    once: usize,
}

/// What is known under a key.
pub(super) enum Found {
    InUse(Arc<Verified>),
    /// It came before.
    Once(GoodSignature),
    Nothing,
}

#[derive(Debug, Default)]
struct Shard {
    /// The latest, and those before them: when there is no room the older go, all at once.
    once: [HashSet<GoodSignature>; 2],
    in_use: HashMap<Key, Slot>,
    /// The keys of those in use, in the order in which they are looked at when there is no room.
    turns: VecDeque<Key>,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    verified: Arc<Verified>,
    /// What it takes by itself, and all that it takes.
    own: usize,
    bytes: usize,
    /// Whether it was used since it was last looked at.
    used: bool,
}

impl Memory {
    /// An empty one of so many bytes.
    pub fn within(bytes: usize) -> Self {
        let (shard, once) = (bytes / SHARDS, bytes / SHARDS / ONCE);
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), in_use: shard - once, once: once / SIGNATURE / 2 }
    }

    /// What is known of something that is looked up now.
    pub fn find(&self, key: &Key) -> Found {
        let Some(mut shard) = self.shard(key) else { return Found::Nothing };
        if let Some(verified) = shard.used(key, self.in_use) {
            return Found::InUse(verified);
        }
        shard.once.iter().find_map(|signatures| signatures.get(key)).map_or(Found::Nothing, |known| Found::Once(known.clone()))
    }

    /// The credential that is used now, where it is in use.
    pub fn used(&self, key: &Key) -> Option<Arc<Verified>> {
        self.shard(key)?.used(key, self.in_use)
    }

    /// Keeps what was found out about a token that came for the first time.
    pub fn keep_signature(&self, key: &Key, signature: GoodSignature) {
        let Some(mut shard) = self.shard(key) else { return };
        let [latest, before] = &mut shard.once;
        if latest.len() >= self.once {
            *before = std::mem::take(latest);
        }
        latest.insert(signature);
    }

    /// Keeps a credential, in place of what was there.
    pub fn keep(&self, key: Key, verified: &Arc<Verified>) {
        let Some(mut shard) = self.shard(&key) else { return };
        shard.forget(&key);
        let own = PLACE + verified.own_bytes();
        let bytes = own + verified.bytes_in_use();
        // Before it is there: it is new, and no other has been used less.
        shard.make_room(self.in_use.saturating_sub(bytes));
        shard.in_use.insert(key, Slot { verified: Arc::clone(verified), own, bytes, used: false });
        shard.turns.push_back(key);
        shard.bytes += bytes;
    }

    /// Forgets what is kept under a key.
    pub fn forget(&self, key: &Key) {
        if let Some(mut shard) = self.shard(key) {
            shard.forget(key);
        }
    }

    /// Keeps none but these credentials.
    pub fn retain(&self, keeps: impl Fn(&Verified) -> bool) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            let gone: Vec<_> = shard.in_use.iter().filter(|(_, slot)| !keeps(&slot.verified)).map(|(key, _)| *key).collect();
            gone.iter().for_each(|key| shard.forget(key));
        }
    }

    /// How many credentials are in use.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).in_use.len()).sum()
    }

    /// How many bytes they are taken to take.
    pub fn bytes(&self) -> usize {
        let of = |shard: &Shard| shard.bytes + shard.once.iter().map(|signatures| signatures.len() * SIGNATURE).sum::<usize>();
        self.shards.iter().map(|shard| of(&lock(shard))).sum()
    }

    fn shard(&self, key: &Key) -> Option<MutexGuard<'_, Shard>> {
        let [first, ..] = key;
        self.shards.get(usize::from(*first) % SHARDS).map(lock)
    }
}

impl Shard {
    fn used(&mut self, key: &Key, most: usize) -> Option<Arc<Verified>> {
        let slot = self.in_use.get_mut(key)?;
        slot.used = true;
        // It grows while it is in use.
        let bytes = slot.own + slot.verified.bytes_in_use();
        self.bytes = self.bytes + bytes - slot.bytes;
        slot.bytes = bytes;
        let verified = Arc::clone(&slot.verified);
        self.make_room(most);
        Some(verified)
    }

    /// One that was used since its last turn gets another one; of the rest the first go.
    fn make_room(&mut self, most: usize) {
        while self.bytes > most {
            let Some(key) = self.turns.pop_front() else { return };
            let slot = self.in_use.get_mut(&key);
            if slot.is_some_and(|slot| std::mem::take(&mut slot.used)) {
                self.turns.push_back(key);
            } else if let Some(slot) = self.in_use.remove(&key) {
                self.bytes -= slot.bytes;
            }
        }
    }

    fn forget(&mut self, key: &Key) {
        if let Some(slot) = self.in_use.remove(key) {
            self.bytes -= slot.bytes;
            self.turns.retain(|other| other != key);
        }
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
