//! The root of the key hierarchy, and the purpose keys derived from it by HKDF (RFC 5869) with SHA-256.

use aws_lc_rs::{hkdf, hmac};
use durward_base::{RealmId, Rng};
use zeroize::Zeroizing;

use crate::{Context, Sealer};

/// The 32 bytes from which every other key of an installation is derived. Stored only as a `SealedRoot`.
pub struct RootKey(pub(crate) Zeroizing<[u8; 32]>);

/// What a derived key is for. Two purposes never share a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Wraps token-signing keys.
    Signing,
    /// Wraps the keys of certificate authorities.
    CertificateAuthority,
    /// Wraps stored secrets.
    Secret,
    /// Seals state that travels through others: login transactions, codes, cookies.
    State,
    /// Authenticates handles and hashes client secrets.
    Mac,
    /// Authenticates the audit record.
    Audit,
    /// Encrypts single fields of rows.
    Field,
    /// Authenticates the nonces that proofs of possession carry.
    Nonce,
    /// Hashes people's identifiers for clients that are to know them by no common name.
    Pairwise,
    /// Makes the private keys that request objects are encrypted to.
    RequestObject,
    /// Seals the sessions that gateways give to browsers.
    BrowserSession,
    /// Wraps the keys of what certificate authorities issued to us, and of our accounts there.
    Acme,
}

/// A key for one purpose, and for one realm where one was given.
pub struct DerivedKey(Zeroizing<[u8; 32]>);

impl RootKey {
    /// A new root.
    pub fn generate(rng: &Rng) -> Self {
        Self(Zeroizing::new(rng.bytes()))
    }

    /// The key for `purpose`, in `realm` where one is given. The same root always derives the same key.
    pub fn derive(&self, purpose: Purpose, realm: Option<RealmId>) -> DerivedKey {
        let info = Context::new("durward root key 1").with(purpose.label());
        let info = realm.into_iter().fold(info, |info, realm| info.with(realm.to_bytes()));
        DerivedKey::new(&self.0, &info)
    }
}

impl DerivedKey {
    /// Encrypts and authenticates under this key.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(&self.0)
    }

    /// The bytes themselves, for a caller with a MAC or a KDF of its own.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn new(key: &[u8; 32], info: &Context) -> Self {
        let mut derived = Zeroizing::new([0; 32]);
        #[allow(clippy::expect_used, reason = "fails only beyond 255 blocks of 32 bytes")]
        hkdf::Salt::none(hkdf::HKDF_SHA256)
            .extract(key)
            .expand(&[info.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|output| output.fill(&mut *derived))
            .expect("one block is below HKDF's limit");
        Self(derived)
    }

    pub(crate) fn mac(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &*self.0)
    }
}

impl Purpose {
    /// Part of every derived key: changing one makes everything under it unreadable.
    const fn label(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::CertificateAuthority => "certificate authority",
            Self::Secret => "secret",
            Self::State => "state",
            Self::Mac => "mac",
            Self::Audit => "audit",
            Self::Field => "field",
            Self::Nonce => "nonce",
            Self::Pairwise => "pairwise",
            Self::RequestObject => "request object",
            Self::BrowserSession => "browser session",
            Self::Acme => "acme",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use durward_base::{Entropy, EntropyError, Rng};
    use proptest::prelude::*;

    use super::*;

    const PURPOSES: [Purpose; 11] = [
        Purpose::Signing,
        Purpose::CertificateAuthority,
        Purpose::Secret,
        Purpose::State,
        Purpose::Mac,
        Purpose::Audit,
        Purpose::Field,
        Purpose::Nonce,
        Purpose::Pairwise,
        Purpose::BrowserSession,
        Purpose::Acme,
    ];

    proptest! {
        #[test]
        fn no_two_purposes_or_realms_share_a_key(root: [u8; 32], realms: HashSet<[u8; 16]>) {
            let root = RootKey(Zeroizing::new(root));
            let scopes: Vec<_> = std::iter::once(None).chain(realms.into_iter().map(|id| Some(RealmId::from_bytes(id)))).collect();
            let keys: HashSet<_> =
                PURPOSES.iter().flat_map(|purpose| scopes.iter().map(|realm| *root.derive(*purpose, *realm).expose())).collect();
            prop_assert_eq!(keys.len(), PURPOSES.len() * scopes.len());
            prop_assert!(!keys.contains(&*root.0));
        }
    }

    /// A key that changes here makes every stored secret unreadable: computed with another implementation of HKDF from the same inputs.
    #[test]
    fn derivation_is_fixed_for_ever() {
        let root = RootKey(Zeroizing::new([7; 32]));
        let signing = root.derive(Purpose::Signing, None);
        let in_realm = root.derive(Purpose::Signing, Some(RealmId::from_bytes([9; 16])));
        assert_eq!(hex::encode(signing.expose()), "f6761ad8ac4b737592bda846a60d58245237c90c1481b659a01af4a9ce0b227b");
        assert_eq!(hex::encode(in_realm.expose()), "2c7ecdbd7772dd741749052c3d20b41f097e8e81adb7e5004f08c17309c57d80");
    }

    struct Broken(Result<(), EntropyError>);

    impl Entropy for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            self.0
        }
    }

    /// JOSE-057
    #[test]
    fn a_failing_or_all_zero_source_of_randomness_makes_no_key_and_seals_nothing() {
        for outcome in [Ok(()), Err(EntropyError)] {
            assert_panics(outcome, |rng| drop(RootKey::generate(rng)));
            assert_panics(outcome, |rng| drop(crate::SealedRoot::create(rng)));
            assert_panics(outcome, |rng| drop(crate::SealKey::generate(rng)));
            assert_panics(outcome, |rng| drop(crate::RecoveryKey::generate(rng)));
            assert_panics(outcome, |rng| drop(Sealer::new(&[7; 32]).seal(&Context::new("test"), b"", rng)));
        }
    }

    fn assert_panics(outcome: Result<(), EntropyError>, make: fn(&Rng)) {
        assert!(std::panic::catch_unwind(|| make(&Rng::new(Broken(outcome)))).is_err());
    }
}
