//! RFC 9449 sections 8, 9 and 11.1: nonces that the server gives, and proofs that are good once, on whichever node they come.
//!
//! A proof is good once where its nonce says that its use is remembered, and nowhere else:
//!
//! * A node's **own** nonce is good at that node, while it runs. Which proofs came with it, the node keeps in memory: nothing is written.
//! * A **shared** nonce is good at every node over one store. A proof with it is spent there, by one guarded write.
//!
//! Clients are given own nonces. One who comes back with the nonce of another node, as behind a balancer that spreads single requests, is
//! given a shared one: it costs a write, and no proof is good twice. A nonce in its second half is followed by a new one. Without a nonce, no
//! proof is good at all, so none can be made in store.
//!
//! Memory is bounded. When more proofs come in a nonce's life than are kept, all own nonces end at once and what they stood for is forgotten.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use durward_base::{Duration, Rng, Timestamp, base64url, equal};
use durward_jose::SelfSigners;

use super::Proof;

/// The life of a nonce. RFC 9449 8.2: "The authorization server may supply the new nonce [...] whenever" it likes.
pub const LIFETIME: Duration = Duration::from_secs(120);

/// How long after a nonce's life the generations of proofs turn.
const SLACK: Duration = Duration::from_secs(1);

/// The most proofs kept for each [`LIFETIME`].
const MOST: usize = 1 << 20;

/// What one process knows of the proofs it has seen.
pub struct Freshness {
    own: hmac::Key,
    shared: Option<hmac::Key>,
    most: usize,
    seen: Mutex<Seen>,
    signers: SelfSigners,
}

/// The proofs of the last two lives of a nonce.
#[derive(Default)]
struct Seen {
    /// Counts how often all own nonces were ended.
    epoch: u32,
    began: Option<Timestamp>,
    current: HashSet<[u8; 16]>,
    previous: HashSet<[u8; 16]>,
}

/// What became of a proof that was to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// It was not here before, and is known now.
    New,
    /// It was here before.
    Replayed,
    /// There was no more room, and every own nonce has ended.
    Full,
    /// Its nonce ended with all others.
    Ended,
}

/// A proof that is fresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The nonce to use from now on, as the one used is growing old; to be sent as `DPoP-Nonce`.
    pub nonce: Option<String>,
    /// The id to be spent in the store before anything is answered, where that is where its use is remembered, and until when.
    pub spend: Option<([u8; 16], Timestamp)>,
}

/// Why a proof is not fresh.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFresh {
    /// It has no nonce, or none that counts here and now: `use_dpop_nonce`.
    #[error("the DPoP proof must carry the nonce given in DPoP-Nonce")]
    Nonce {
        /// The nonce to use.
        fresh: String,
    },
    /// It was here before.
    #[error("the DPoP proof was used before")]
    Replayed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Own = 1,
    Shared = 2,
}

impl Freshness {
    /// Of a process by itself.
    pub fn new(rng: &Rng) -> Self {
        Self { own: key(&rng.bytes::<32>()), shared: None, most: MOST, seen: Mutex::default(), signers: SelfSigners::default() }
    }

    /// Of one process among several over the same store: `shared` is the same in all.
    pub fn sharing(rng: &Rng, shared: &[u8; 32]) -> Self {
        Self { shared: Some(key(shared)), ..Self::new(rng) }
    }

    /// The keys of the proofs it has seen.
    pub const fn signers(&self) -> &SelfSigners {
        &self.signers
    }

    /// Takes in a proof that is verified in every other way, once.
    ///
    /// # Errors
    /// `NotFresh`.
    pub fn admit(&self, realm: &str, proof: &Proof, now: Timestamp) -> Result<Admitted, NotFresh> {
        let made = proof.nonce.as_deref().map(|nonce| self.open(realm, nonce));
        let (kind, epoch, made) = match made {
            Some(Some(opened)) => opened,
            // Another node's, or older than this process: wherever the next proof comes, it is to be good.
            Some(None) => return Err(NotFresh::Nonce { fresh: self.seal(realm, self.widest(), now) }),
            None => return Err(NotFresh::Nonce { fresh: self.seal(realm, Kind::Own, now) }),
        };
        if now.since(made) >= LIFETIME || made > now + LIFETIME {
            return Err(NotFresh::Nonce { fresh: self.seal(realm, Kind::Own, now) });
        }
        if kind == Kind::Own {
            // The lock is given back before a nonce is sealed, which takes it again.
            let taken = self.lock().keep(proof.id(), epoch, now, self.most);
            match taken {
                Taken::New => {}
                Taken::Replayed => return Err(NotFresh::Replayed),
                Taken::Full | Taken::Ended => return Err(NotFresh::Nonce { fresh: self.seal(realm, Kind::Own, now) }),
            }
        }
        Ok(Admitted {
            nonce: (now.since(made) >= LIFETIME / 2).then(|| self.seal(realm, Kind::Own, now)),
            spend: (kind == Kind::Shared).then(|| (proof.id(), made + LIFETIME)),
        })
    }

    /// A nonce to begin with.
    pub fn nonce(&self, realm: &str, now: Timestamp) -> String {
        self.seal(realm, Kind::Own, now)
    }

    const fn widest(&self) -> Kind {
        if self.shared.is_some() { Kind::Shared } else { Kind::Own }
    }

    /// Kind, epoch, time, and a MAC over them and the realm.
    fn seal(&self, realm: &str, kind: Kind, now: Timestamp) -> String {
        let epoch = if kind == Kind::Own { self.lock().epoch } else { 0 };
        let mut nonce = vec![kind as u8];
        nonce.extend(epoch.to_be_bytes());
        nonce.extend(now.millis().to_be_bytes());
        let mac = self.mac(realm, kind, &nonce).unwrap_or_default();
        nonce.extend(mac);
        base64url::encode(&nonce)
    }

    fn open(&self, realm: &str, nonce: &str) -> Option<(Kind, u32, Timestamp)> {
        let bytes = base64url::decode(nonce)?;
        let (body, mac) = bytes.split_at_checked(BODY)?;
        let kind = [Kind::Own, Kind::Shared].into_iter().find(|kind| body.first() == Some(&(*kind as u8)))?;
        if !equal(mac, &self.mac(realm, kind, body)?) {
            return None;
        }
        let epoch = u32::from_be_bytes(body.get(1..5)?.try_into().ok()?);
        let made = Timestamp::from_millis(i64::from_be_bytes(body.get(5..)?.try_into().ok()?));
        (kind == Kind::Shared || epoch == self.lock().epoch).then_some((kind, epoch, made))
    }

    fn mac(&self, realm: &str, kind: Kind, body: &[u8]) -> Option<[u8; 16]> {
        let key = match kind {
            Kind::Own => &self.own,
            Kind::Shared => self.shared.as_ref()?,
        };
        let tag = hmac::sign(key, &[body, realm.as_bytes()].concat());
        tag.as_ref().first_chunk().copied()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Takes in a proof whose nonce is of this epoch, all under one lock: no epoch ends between the question and the answer.
    fn keep(&mut self, id: [u8; 16], epoch: u32, now: Timestamp, most: usize) -> Taken {
        if epoch != self.epoch {
            return Taken::Ended;
        }
        match self.began {
            // A second more: who read the clock before another turned the generations may still bring what the older one knows.
            Some(began) if now.since(began) < LIFETIME + SLACK => {}
            began => {
                // After two lives nothing of either generation can come back.
                let last = std::mem::take(&mut self.current);
                self.previous = if began.is_some_and(|began| now.since(began) < (LIFETIME + SLACK) * 2) { last } else { HashSet::new() };
                self.began = Some(now);
            }
        }
        if self.current.contains(&id) || self.previous.contains(&id) {
            return Taken::Replayed;
        }
        if self.current.len() >= most {
            *self = Self { epoch: self.epoch.wrapping_add(1), ..Self::default() };
            return Taken::Full;
        }
        self.current.insert(id);
        Taken::New
    }
}

impl std::fmt::Debug for Freshness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Freshness")
    }
}

fn key(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}

/// Kind, epoch and time.
const BODY: usize = 1 + 4 + 8;

#[cfg(test)]
mod tests;
