//! Client secrets, recovery codes and keys of other systems at rest: a keyed hash, sound for secrets of high entropy only. Passwords of people are argon2id's.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use durward_base::{ClientId, PersonId, RealmId, Secret, equal};

use crate::{Context, Purpose, RootKey};

/// Hashes client secrets with a key that is not in the database.
pub struct SecretHasher(hmac::Key);

impl SecretHasher {
    /// The hasher of this installation.
    pub fn from_root(root: &RootKey) -> Self {
        Self(root.derive(Purpose::Mac, None).mac())
    }

    /// What is stored: HMAC-SHA-256 over realm, client and secret.
    pub fn hash(&self, realm: RealmId, client: ClientId, secret: &Secret) -> [u8; 32] {
        self.mac(&Context::new("durward client secret 1").with(realm.to_bytes()).with(client.to_bytes()), secret)
    }

    /// What is stored of a person's recovery code: HMAC-SHA-256 over realm, person and code.
    pub fn hash_recovery_code(&self, realm: RealmId, person: PersonId, code: &Secret) -> [u8; 32] {
        self.mac(&Context::new("durward recovery code 1").with(realm.to_bytes()).with(person.to_bytes()), code)
    }

    /// What is stored of an API key that another system made: HMAC-SHA-256 over realm and SHA-256 of the key, which is all that is known of it.
    pub fn hash_foreign_key(&self, realm: RealmId, sha256: &[u8; 32]) -> [u8; 32] {
        let context = Context::new("durward foreign API key 1").with(realm.to_bytes()).with(sha256);
        let mut hash = [0; 32];
        hash.copy_from_slice(hmac::sign(&self.0, context.as_bytes()).as_ref());
        hash
    }

    /// Whether `secret` is the one that was stored, in constant time.
    pub fn verify(&self, realm: RealmId, client: ClientId, secret: &Secret, stored: &[u8; 32]) -> bool {
        equal(&self.hash(realm, client, secret), stored)
    }

    fn mac(&self, context: &Context, secret: &Secret) -> [u8; 32] {
        let mut mac = hmac::Context::with_key(&self.0);
        mac.update(context.as_bytes());
        mac.update(secret.expose().as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(mac.sign().as_ref());
        hash
    }
}

/// SHA-256 of a text: what another system may have kept of a key of its own.
pub fn sha256(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::seeded;

    #[test]
    fn only_the_same_secret_of_the_same_client_in_the_same_realm_verifies() {
        let hasher = SecretHasher::from_root(&RootKey::generate(&seeded(1)));
        let (realm, client) = (RealmId::from_bytes([1; 16]), ClientId::from_bytes([2; 16]));
        let secret = Secret::new("Zm9yIG1hY2hpbmVzIG9ubHk");
        let stored = hasher.hash(realm, client, &secret);
        assert!(hasher.verify(realm, client, &secret, &stored));
        for wrong in ["", "Zm9yIG1hY2hpbmVzIG9ubH", "Zm9yIG1hY2hpbmVzIG9ubHk=", "zm9yIG1hY2hpbmVzIG9ubHk"] {
            assert!(!hasher.verify(realm, client, &Secret::new(wrong), &stored), "{wrong}");
        }
        assert!(!hasher.verify(RealmId::from_bytes([3; 16]), client, &secret, &stored));
        assert!(!hasher.verify(realm, ClientId::from_bytes([3; 16]), &secret, &stored));
        assert!(!SecretHasher::from_root(&RootKey::generate(&seeded(2))).verify(realm, client, &secret, &stored));
    }
}
