//! Verified credentials, so that a signature is checked once. Facts are kept, not decisions (R11): whom a token is for is asked at each use,
//! and whether it still stands whenever the view has changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use durward_base::Timestamp;
use durward_model::Principal;
use durward_model::resolve::{Resolution, ResolveRequest};
use durward_oauth::dpop::Admitted;

use crate::principal::{TokenError, verify};
use crate::resolved::{self, Known};
use crate::{Consumer, Possession, PresentedToken, Verified, View};

/// The most credentials kept.
pub const MAXIMUM_ENTRIES: usize = 65_536;

const SHARDS: usize = 64;

/// A credential in a request that proves what it is bound to.
#[derive(Debug)]
pub struct Proved {
    /// The credential.
    pub verified: Arc<Verified>,
    /// What became of its DPoP proof, where it had one.
    pub admitted: Option<Admitted>,
}

/// The digest of a token in its one canonical spelling, which names its issuer and its `jti`: any other spelling is another key.
type Key = [u8; 32];
type Shard = HashMap<Key, Arc<Verified>>;

/// The credentials verified lately.
#[derive(Debug)]
pub struct CredentialCache {
    shards: Box<[Mutex<Shard>]>,
}

impl Default for CredentialCache {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl CredentialCache {
    /// The credential that a bearer JWT is, if it counts for this consumer, here and now. One that is bound to a key counts for nobody here.
    ///
    /// # Errors
    /// `TokenError` when it does not.
    pub fn verify(&self, view: &View, consumer: &Consumer<'_>, token: &str, now: Timestamp) -> Result<Arc<Verified>, TokenError> {
        let verified = self.standing(view, consumer, token, now)?;
        // RFC 7800 section 3.1: a token with `cnf` is good for nothing without the proof it names.
        if verified.principal.credential.bound_key.is_some() { Err(TokenError::Bound) } else { Ok(verified) }
    }

    /// The credential that a JWT is, bound to a key or not, if it counts for this consumer, here and now, in a request that proves what it must.
    ///
    /// # Errors
    /// `TokenError` when it does not.
    pub fn prove(
        &self,
        view: &View,
        consumer: &Consumer<'_>,
        (token, possession): (PresentedToken<'_>, &Possession<'_>),
        now: Timestamp,
    ) -> Result<Proved, TokenError> {
        let verified = self.standing(view, consumer, token.text, now)?;
        let Principal { realm, credential, .. } = &verified.principal;
        let admitted = possession.must_prove(credential.bound_key.as_ref(), token, realm, now)?;
        Ok(Proved { verified, admitted })
    }

    /// The same for any token. One that the view cannot verify is asked about, once, and again when what is known of it has come to its end.
    ///
    /// # Errors
    /// `TokenError` when it does not count.
    pub fn prove_or_ask(
        &self,
        view: &View,
        consumer: &Consumer<'_>,
        (token, possession): (PresentedToken<'_>, &Possession<'_>),
        now: Timestamp,
    ) -> Result<Known, TokenError> {
        if !token.is_opaque() {
            return self.prove(view, consumer, (token, possession), now).map(Known::Proved);
        }
        let key = key(token.text);
        let Some(known) = self.shard(&key).and_then(|shard| shard.get(&key).map(Arc::clone)) else {
            return token.question(consumer.realm).map(Known::Ask);
        };
        match known.must_stand(view) {
            Ok(()) if !known.is_expired(now) => {
                known.must_be_for(consumer)?;
                Ok(Known::Proved(Proved { verified: known, admitted: None }))
            }
            // A watermark ends what was known, and the authority says what is so since.
            Err(TokenError::Revoked { kind, reason }) if kind.is_absolute() => Err(TokenError::Revoked { kind, reason }),
            Ok(()) | Err(TokenError::Revoked { .. }) => {
                self.forget(&key);
                token.question(consumer.realm).map(Known::Ask)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes in what the authority said of a credential.
    ///
    /// # Errors
    /// `TokenError` when it does not count, or not any more.
    pub fn take_in(&self, view: &View, request: &ResolveRequest, answer: &Resolution, now: Timestamp) -> Result<(), TokenError> {
        let Resolution::Proved(resolved) = answer else { return Err(TokenError::Unknown) };
        let verified = resolved::verified(&request.realm, resolved);
        verified.must_stand(view)?;
        self.keep(key(&request.credential), &Arc::new(verified), now);
        Ok(())
    }

    fn standing(&self, view: &View, consumer: &Consumer<'_>, token: &str, now: Timestamp) -> Result<Arc<Verified>, TokenError> {
        let key = key(token);
        let known = self.shard(&key).and_then(|shard| shard.get(&key).map(Arc::clone));
        let verified = match known {
            Some(known) => match known.must_stand(view) {
                Ok(()) if !known.is_expired(now) => known,
                stands => {
                    self.forget(&key);
                    return Err(stands.err().unwrap_or(TokenError::Expired));
                }
            },
            None => {
                let verified = Arc::new(verify(view, token, now)?);
                self.keep(key, &verified, now);
                verified
            }
        };
        verified.must_be_for(consumer)?;
        Ok(verified)
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn keep(&self, key: Key, verified: &Arc<Verified>, now: Timestamp) {
        let Some(mut shard) = self.shard(&key) else { return };
        if shard.len() >= MAXIMUM_ENTRIES / SHARDS {
            shard.retain(|_, kept| !kept.is_expired(now));
        }
        if shard.len() >= MAXIMUM_ENTRIES / SHARDS {
            // Whichever an eighth of them: they are verified again when they come back.
            let evicted: Vec<_> = shard.keys().take(MAXIMUM_ENTRIES / SHARDS / 8).copied().collect();
            evicted.iter().for_each(|key| {
                shard.remove(key);
            });
        }
        shard.insert(key, Arc::clone(verified));
    }

    fn forget(&self, key: &Key) {
        if let Some(mut shard) = self.shard(key) {
            shard.remove(key);
        }
    }

    fn shard(&self, key: &Key) -> Option<MutexGuard<'_, Shard>> {
        let [first, ..] = key;
        self.shards.get(usize::from(*first) % SHARDS).map(lock)
    }
}

fn key(token: &str) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    key
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
