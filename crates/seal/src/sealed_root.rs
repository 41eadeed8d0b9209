//! The root key at rest: sealed twice, to the seal key of the machine and to the recovery key on paper, so that losing one loses nothing.

use durward_base::{Rng, equal};
use zeroize::Zeroizing;

use crate::root::DerivedKey;
use crate::{Context, RecoveryKey, RootKey};

#[cfg(test)]
mod tests;

/// The root key, readable with the seal key or with the recovery key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRoot {
    root_id: [u8; 8],
    seal: Recipient,
    recovery: Recipient,
}

/// A root that was just made, and the two keys that open it.
#[derive(Debug)]
pub struct NewRoot {
    /// To be stored with the installation's data.
    pub sealed: SealedRoot,
    /// To be stored apart from that data and its backups.
    pub seal_key: SealKey,
    /// To be printed once and kept on paper.
    pub recovery_key: RecoveryKey,
}

/// The key in the installation's seal file: 32 bytes.
pub struct SealKey(Zeroizing<[u8; 32]>);

/// Why bytes are no seal key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealKeyError {
    /// The length is wrong.
    #[error("a seal key is 32 bytes, found {found}: restore the file, or open the root with the recovery key")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// What a torn write leaves behind.
    #[error("the seal key is all zeros: restore the file, or open the root with the recovery key")]
    Zero,
}

/// Why a sealed root is not read or not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealedRootError {
    /// The bytes are something else.
    #[error("not a sealed root: expected {LENGTH} bytes that start with `durward root`, found {found} bytes")]
    NotASealedRoot {
        /// Bytes found.
        found: usize,
    },
    /// Written by another version of Durward.
    #[error("sealed root of version {0}: this Durward reads version {VERSION}; start the version that wrote it")]
    Version(u8),
    /// The key is sound but opens another root.
    #[error("this {recipient} key ({given}) belongs to another store: give the one that opens this store's root key ({expected})")]
    AnotherKey {
        /// `seal` or `recovery`.
        recipient: &'static str,
        /// The id of the key the root was sealed to.
        expected: String,
        /// The id of the key given.
        given: String,
    },
    /// The right key, but the bytes were altered.
    #[error("the sealed root is damaged: restore it from a backup")]
    Damaged,
    /// The root to seal again is not the one in here.
    #[error("this root key is not the one sealed here: open this sealed root first")]
    AnotherRoot,
}

impl SealedRoot {
    /// Makes a root key and seals it to two new keys.
    pub fn create(rng: &Rng) -> NewRoot {
        let (root, seal_key, recovery_key) = (RootKey::generate(rng), SealKey::generate(rng), RecoveryKey::generate(rng));
        let root_id = key_id(&root.0);
        let seal = Recipient::wrap(SEAL, &seal_key.0, &root, rng);
        let recovery = Recipient::wrap(RECOVERY, recovery_key.expose(), &root, rng);
        NewRoot { sealed: SealedRoot { root_id, seal, recovery }, seal_key, recovery_key }
    }

    /// Opens the root with the seal key.
    ///
    /// # Errors
    /// `AnotherKey`, `Damaged`.
    pub fn open_with_seal(&self, key: &SealKey) -> Result<RootKey, SealedRootError> {
        self.seal.unwrap(SEAL, &key.0, self.root_id)
    }

    /// Opens the root with the recovery key.
    ///
    /// # Errors
    /// `AnotherKey`, `Damaged`.
    pub fn open_with_recovery(&self, key: &RecoveryKey) -> Result<RootKey, SealedRootError> {
        self.recovery.unwrap(RECOVERY, key.expose(), self.root_id)
    }

    /// The same root sealed to a new seal key; the recovery key stays.
    ///
    /// # Errors
    /// `AnotherRoot` when `root` was not opened from here.
    pub fn reseal(&self, root: &RootKey, seal_key: &SealKey, rng: &Rng) -> Result<Self, SealedRootError> {
        self.is_of(root)?;
        Ok(Self { seal: Recipient::wrap(SEAL, &seal_key.0, root, rng), ..self.clone() })
    }

    /// The same root sealed to a new recovery key; the seal key stays.
    ///
    /// # Errors
    /// `AnotherRoot` when `root` was not opened from here.
    pub fn renew_recovery(&self, root: &RootKey, rng: &Rng) -> Result<(Self, RecoveryKey), SealedRootError> {
        self.is_of(root)?;
        let key = RecoveryKey::generate(rng);
        Ok((Self { recovery: Recipient::wrap(RECOVERY, key.expose(), root, rng), ..self.clone() }, key))
    }

    fn is_of(&self, root: &RootKey) -> Result<(), SealedRootError> {
        if key_id(&root.0) == self.root_id { Ok(()) } else { Err(SealedRootError::AnotherRoot) }
    }

    /// The stored form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let [seal, recovery] = [&self.seal, &self.recovery];
        [&MAGIC[..], &[VERSION], &self.root_id, &seal.key_id, &seal.sealed, &recovery.key_id, &recovery.sealed].concat()
    }

    /// Reads the stored form, strictly.
    ///
    /// # Errors
    /// `NotASealedRoot`, `Version`. Whether the content is sound shows when it is opened.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealedRootError> {
        let foreign = || SealedRootError::NotASealedRoot { found: bytes.len() };
        let mut rest = bytes.strip_prefix(&MAGIC).ok_or_else(foreign)?;
        let [version] = take(&mut rest).ok_or_else(foreign)?;
        if version != VERSION {
            return Err(SealedRootError::Version(version));
        }
        match (take(&mut rest), Recipient::read(&mut rest), Recipient::read(&mut rest), rest) {
            (Some(root_id), Some(seal), Some(recovery), []) => Ok(Self { root_id, seal, recovery }),
            _ => Err(foreign()),
        }
    }
}

impl SealKey {
    /// A new seal key.
    pub fn generate(rng: &Rng) -> Self {
        Self(Zeroizing::new(rng.bytes()))
    }

    /// The key as read from its file.
    ///
    /// # Errors
    /// `SealKeyError` when these are not 32 bytes, or only zeros.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealKeyError> {
        let key: [u8; 32] = bytes.try_into().map_err(|_| SealKeyError::Length { found: bytes.len() })?;
        if key == [0; 32] { Err(SealKeyError::Zero) } else { Ok(Self(Zeroizing::new(key))) }
    }

    /// The key as written to its file.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The root under one of the keys that open it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Recipient {
    key_id: [u8; 8],
    sealed: [u8; SEALED_LENGTH],
}

impl Recipient {
    fn read(rest: &mut &[u8]) -> Option<Self> {
        Some(Self { key_id: take(rest)?, sealed: take(rest)? })
    }

    fn wrap(name: &'static str, key: &[u8; 32], root: &RootKey, rng: &Rng) -> Self {
        let sealed = wrapping_key(key).sealer().seal(&wrapping_context(name, key_id(&root.0)), &*root.0, rng);
        let mut recipient = Self { key_id: key_id(key), sealed: [0; SEALED_LENGTH] };
        recipient.sealed.copy_from_slice(&sealed);
        recipient
    }

    fn unwrap(&self, name: &'static str, key: &[u8; 32], root_id: [u8; 8]) -> Result<RootKey, SealedRootError> {
        let given = key_id(key);
        if !equal(&given, &self.key_id) {
            let [expected, given] = [self.key_id, given].map(|id| id.iter().map(|byte| format!("{byte:02x}")).collect());
            return Err(SealedRootError::AnotherKey { recipient: name, expected, given });
        }
        let opened = wrapping_key(key).sealer().open(&wrapping_context(name, root_id), &self.sealed);
        let root = opened.map_err(|_| SealedRootError::Damaged)?;
        Ok(RootKey(Zeroizing::new(root.expose().try_into().map_err(|_| SealedRootError::Damaged)?)))
    }
}

fn wrapping_key(key: &[u8; 32]) -> DerivedKey {
    DerivedKey::new(key, &Context::new("durward wrapping key 1"))
}

fn wrapping_context(recipient: &str, root_id: [u8; 8]) -> Context {
    Context::new("durward root").with([VERSION]).with(recipient).with(root_id)
}

/// Tells keys apart without revealing them.
fn key_id(key: &[u8; 32]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *DerivedKey::new(key, &Context::new("durward key id 1")).expose();
    [a, b, c, d, e, f, g, h]
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

const MAGIC: [u8; 12] = *b"durward root";
const VERSION: u8 = 1;
const SEAL: &str = "seal";
const RECOVERY: &str = "recovery";
/// Version, nonce, the root key and the tag.
const SEALED_LENGTH: usize = 1 + 24 + 32 + 16;
const LENGTH: usize = 12 + 1 + 8 + 2 * (8 + SEALED_LENGTH);
