//! State that travels through a browser or a client instead of being stored: login transactions, codes, cookies.

use std::sync::{Arc, Mutex, PoisonError};

use durward_base::{RealmId, Rng, Timestamp, base64url};
use zeroize::Zeroizing;

use crate::root::DerivedKey;
use crate::{Context, Purpose, RootKey, Sealer};

#[cfg(test)]
mod tests;

/// Seals and opens state. The key changes every 24 hours and is derived when needed: nothing to store, nothing to rotate.
pub struct StateKeys {
    key: DerivedKey,
    /// The sealer that was derived last, with its period: nearly always the one that is asked for.
    derived: Mutex<Option<(i64, Arc<Sealer>)>>,
}

/// From when until when sealed state is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The moment of sealing.
    pub now: Timestamp,
    /// The first moment at which the state is refused; at most 24 hours later.
    pub expires: Timestamp,
}

/// Why state was not sealed or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The value is too large to travel, or the text too large to have been sealed here.
    #[error("sealed state is at most {MAX_TEXT} characters, found {found}")]
    TooLarge {
        /// Characters found.
        found: usize,
    },
    /// Sealed state does not outlive the key after its own.
    #[error("sealed state lives at most 24 hours")]
    LivesTooLong,
    /// The value has no CBOR form, or the opened one is of another type.
    #[error("sealed state holds a value of another type or version")]
    Value,
    /// Not base64url, or too short.
    #[error("not sealed state")]
    Malformed,
    /// Altered, for another purpose or realm, or under a key that is not in use (any more).
    #[error("sealed state is not authentic for this purpose and realm")]
    NotAuthentic,
    /// Authentic, but its time is over.
    #[error("sealed state has expired")]
    Expired,
}

impl StateKeys {
    /// The keys of this installation.
    pub fn from_root(root: &RootKey) -> Self {
        Self::new(root.derive(Purpose::State, None))
    }

    /// The keys that gateways seal browsers' sessions with: they open nothing of the authority's, nor it of theirs by mistake.
    pub fn of_gateways(root: &RootKey) -> Self {
        Self::new(root.derive(Purpose::BrowserSession, None))
    }

    /// Seals `value` for one `purpose` in one realm, as base64url.
    ///
    /// # Errors
    /// `TooLarge`, `LivesTooLong`, `Value`.
    pub fn seal<T: minicbor::Encode<()>>(
        &self,
        purpose: &'static str,
        realm: RealmId,
        value: &T,
        validity: Validity,
        rng: &Rng,
    ) -> Result<String, StateError> {
        if validity.expires > Timestamp::from_millis(validity.now.millis().saturating_add(PERIOD_MILLIS)) {
            return Err(StateError::LivesTooLong);
        }
        let value = Zeroizing::new(minicbor::to_vec(value).map_err(|_| StateError::Value)?);
        let plaintext = Zeroizing::new([&validity.expires.millis().to_be_bytes()[..], &value].concat());
        let period = period(validity.now);
        let sealed = self.sealer(period).seal(&context(purpose, realm), &plaintext, rng);
        let text = base64url::encode(&[&period.to_be_bytes()[..], &sealed].concat());
        if text.len() > MAX_TEXT { Err(StateError::TooLarge { found: text.len() }) } else { Ok(text) }
    }

    /// Opens what `seal` made for the same purpose and realm.
    ///
    /// # Errors
    /// `TooLarge`, `Malformed`, `NotAuthentic`, `Expired`, `Value`.
    pub fn open<T: for<'b> minicbor::Decode<'b, ()>>(
        &self,
        purpose: &'static str,
        realm: RealmId,
        text: &str,
        now: Timestamp,
    ) -> Result<T, StateError> {
        if text.len() > MAX_TEXT {
            return Err(StateError::TooLarge { found: text.len() });
        }
        let bytes = base64url::decode(text).ok_or(StateError::Malformed)?;
        let (sealed_in, sealed) = bytes.split_first_chunk().ok_or(StateError::Malformed)?;
        let sealed_in = i64::from_be_bytes(*sealed_in);
        // The period before, and the one after: another authority's clock may already have passed midnight.
        if sealed_in.abs_diff(period(now)) > 1 {
            return Err(StateError::NotAuthentic);
        }
        let opened = self.sealer(sealed_in).open(&context(purpose, realm), sealed).map_err(|_| StateError::NotAuthentic)?;
        let (expires, value) = opened.expose().split_first_chunk().ok_or(StateError::Value)?;
        if now >= Timestamp::from_millis(i64::from_be_bytes(*expires)) {
            return Err(StateError::Expired);
        }
        let mut decoder = minicbor::Decoder::new(value);
        let decoded = decoder.decode().map_err(|_| StateError::Value)?;
        if decoder.position() == value.len() { Ok(decoded) } else { Err(StateError::Value) }
    }

    const fn new(key: DerivedKey) -> Self {
        Self { key, derived: Mutex::new(None) }
    }

    fn sealer(&self, period: i64) -> Arc<Sealer> {
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, sealer)) = derived.as_ref().filter(|(of, _)| *of == period) {
            return Arc::clone(sealer);
        }
        let sealer = DerivedKey::new(self.key.expose(), &Context::new("durward state period 1").with(period.to_be_bytes())).sealer();
        Arc::clone(&derived.insert((period, Arc::new(sealer))).1)
    }
}

fn period(now: Timestamp) -> i64 {
    now.millis().div_euclid(PERIOD_MILLIS)
}

fn context(purpose: &str, realm: RealmId) -> Context {
    Context::new("durward state").with(purpose).with(realm.to_bytes())
}

const PERIOD_MILLIS: i64 = 24 * 60 * 60 * 1000;
const MAX_TEXT: usize = 8 * 1024;
