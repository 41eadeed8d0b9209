//! Public keys, parsed, by issuer, `kid` and use: a key of one use never verifies for another (R4).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use durward_jose::{Jwk, VerifyingKey};
use durward_model::{Key, KeyUse};

use super::ViewProblem;

/// Every key of every issuer, in whatever state.
#[derive(Debug, Default)]
pub struct Keys {
    by_kid: HashMap<String, Arc<VerificationKey>>,
    problems: Vec<ViewProblem>,
}

/// A key with its public half parsed.
#[derive(Debug)]
pub struct VerificationKey {
    key: Arc<Key>,
    verifying: VerifyingKey,
}

impl VerificationKey {
    /// The record.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The public half, for its one algorithm.
    pub const fn verifying(&self) -> &VerifyingKey {
        &self.verifying
    }
}

impl Keys {
    pub(super) fn compile(records: &BTreeMap<String, Arc<Key>>, before: &Keys) -> Self {
        let mut keys = Self::default();
        for (kid, record) in records {
            match before.by_kid.get(kid).filter(|known| Arc::ptr_eq(&known.key, record)).map(Arc::clone).map_or_else(|| parse(record), Ok) {
                Ok(key) => {
                    keys.by_kid.insert(kid.clone(), key);
                }
                Err(message) => {
                    keys.problems.push(ViewProblem { realm: record.realm.clone(), kind: None, name: kid.clone(), place: None, message })
                }
            }
        }
        keys
    }

    /// The key of this issuer, `kid` and use, when a signature under it counts now: it signs or has signed, and is not removed.
    pub fn verifying(&self, issuer: &str, kid: &str, key_use: KeyUse) -> Option<&Arc<VerificationKey>> {
        let found = self.by_kid.get(kid)?;
        (found.key.issuer == issuer && found.key.key_use == key_use && found.key.state.verifies()).then_some(found)
    }

    /// The issuer of a realm's tokens, once it has a key.
    pub fn issuer_of(&self, realm: &str) -> Option<&str> {
        let of_realm = |found: &&Arc<VerificationKey>| found.key.realm == realm && found.key.key_use == KeyUse::Token;
        self.iter().find(of_realm).map(|found| found.key.issuer.as_str())
    }

    /// Whether a signature under the realm's key of this `kid` counts now.
    pub fn verifies(&self, realm: &str, kid: &str) -> bool {
        self.by_kid.get(kid).is_some_and(|found| found.key.realm == realm && found.key.state.verifies())
    }

    /// The issuer's keys that stand in its JWKS, by `kid`.
    pub fn published(&self, issuer: &str) -> Vec<&Arc<VerificationKey>> {
        let mut published: Vec<_> = self.iter().filter(|found| found.key.issuer == issuer && found.key.state.is_public()).collect();
        published.sort_by(|left, right| left.key.kid.cmp(&right.key.kid));
        published
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<VerificationKey>> {
        self.by_kid.values()
    }

    pub(super) fn problems(&self) -> &[ViewProblem] {
        &self.problems
    }
}

fn parse(record: &Arc<Key>) -> Result<Arc<VerificationKey>, String> {
    let jwk = Jwk::try_from(record.jwk.clone()).map_err(|error| error.to_string())?;
    let verifying = VerifyingKey::from_jwk(&jwk).map_err(|error| error.to_string())?;
    if verifying.kid() != record.kid || verifying.algorithm().name() != record.algorithm {
        return Err(format!("the key is {} for {}, its record says {}", verifying.kid(), verifying.algorithm().name(), record.algorithm));
    }
    Ok(Arc::new(VerificationKey { key: Arc::clone(record), verifying }))
}
