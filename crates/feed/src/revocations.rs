//! The set of revocations: grows until each expires, is copied for a reader at the cost of a few pointers, and answers in a few probes.

use std::collections::HashMap;
use std::sync::Arc;

use durward_base::Timestamp;
use durward_model::{Revocation, RevocationKind};

/// A change copies one shard of the set and shares the others with every reader of the old one.
const SHARDS: usize = 64;

type Shard = HashMap<Box<str>, Vec<Revocation>>;

/// Everything revoked and not yet expired. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Revocations {
    shards: Box<[Arc<Shard>]>,
    len: usize,
}

/// The ids a token can be revoked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenKeys<'a> {
    /// The name of the realm that issued it.
    pub realm: &'a str,
    /// Its `jti`.
    pub jti: &'a str,
    /// When its `jti` was made: what watermarks are compared with.
    pub made: Timestamp,
    /// Its `sid`.
    pub family: Option<&'a str>,
    /// Its session.
    pub session: Option<&'a str>,
    /// The key that signed it.
    pub kid: Option<&'a str>,
    /// Its `sub`.
    pub subject: &'a str,
    /// Its `client_id`.
    pub client: Option<&'a str>,
}

impl Default for Revocations {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Arc::default()).collect(), len: 0 }
    }
}

impl Revocations {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is revoked.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether `other` is this very set, neither having changed since one was cloned from the other.
    pub fn is_same(&self, other: &Self) -> bool {
        self.shards.iter().zip(&other.shards).all(|(left, right)| Arc::ptr_eq(left, right))
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Revocation> {
        self.shards.iter().flat_map(|shard| shard.values().flatten())
    }

    /// The revocation a token with these keys dies of, if there is one.
    pub fn find(&self, token: &TokenKeys<'_>) -> Option<&Revocation> {
        use RevocationKind::{Client, Family, Key, Realm, Session, Subject, Token};
        if self.is_empty() {
            return None;
        }
        [
            (Token, Some(token.jti)),
            (Family, token.family),
            (Session, token.session),
            (Subject, Some(token.subject)),
            (Client, token.client),
            (Key, token.kid),
            (Realm, Some(token.realm)),
        ]
        .into_iter()
        .filter_map(|(kind, key)| self.get(token.realm, kind, key?))
        .find(|revocation| revocation.kind.is_absolute() || token.made <= revocation.not_before)
    }

    /// The revocation of exactly this, if there is one.
    pub fn get(&self, realm: &str, kind: RevocationKind, key: &str) -> Option<&Revocation> {
        let named = self.shards.get(shard_of(key))?.get(key)?;
        named.iter().find(|revocation| revocation.kind == kind && revocation.realm == realm)
    }

    /// Adds one. What is already there only ever grows: the later `not_before` and the later `expires` stay.
    pub(crate) fn insert(&mut self, revocation: Revocation) {
        let Some(shard) = self.shards.get_mut(shard_of(&revocation.key)) else { return };
        let named = Arc::make_mut(shard).entry(revocation.key.as_str().into()).or_default();
        match named.iter_mut().find(|known| known.kind == revocation.kind && known.realm == revocation.realm) {
            Some(known) => {
                known.not_before = known.not_before.max(revocation.not_before);
                known.expires = known.expires.max(revocation.expires);
            }
            None => {
                named.push(revocation);
                self.len += 1;
            }
        }
    }

    /// Forgets those that have expired; returns how many.
    pub(crate) fn expire(&mut self, now: Timestamp) -> usize {
        let before = self.len;
        for shard in &mut self.shards {
            if shard.values().flatten().all(|revocation| revocation.expires > now) {
                continue;
            }
            let shard = Arc::make_mut(shard);
            shard.retain(|_, named| {
                let known = named.len();
                named.retain(|revocation| revocation.expires > now);
                self.len -= known - named.len();
                !named.is_empty()
            });
        }
        before - self.len
    }
}

impl PartialEq for Revocations {
    fn eq(&self, other: &Self) -> bool {
        let known = |revocation: &Revocation| other.get(&revocation.realm, revocation.kind, &revocation.key) == Some(revocation);
        self.len == other.len && self.iter().all(known)
    }
}

/// FNV-1a. Only spreads; collisions cost nothing but an uneven shard.
fn shard_of(key: &str) -> usize {
    let hash = key.bytes().fold(0xcbf2_9ce4_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash as usize % SHARDS
}
