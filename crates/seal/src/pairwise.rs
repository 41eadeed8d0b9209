//! OpenID Connect Core section 8.1: what clients know people as that are to know them by no common name: a keyed hash.

use aws_lc_rs::hmac;
use durward_base::{RealmId, base64url};

use crate::{Context, Purpose, RootKey};

/// Makes pairwise subject identifiers with a key that is not in the database.
pub struct PairwiseKeys(hmac::Key);

impl PairwiseKeys {
    /// The keys of this installation.
    pub fn from_root(root: &RootKey) -> Self {
        Self(root.derive(Purpose::Pairwise, None).mac())
    }

    /// The person of this `sub`, as everybody in this sector of the realm knows them: HMAC-SHA-256 over the three, in base64url.
    pub fn subject(&self, realm: RealmId, sector: &str, sub: &str) -> String {
        let context = Context::new("durward pairwise subject 1").with(realm.to_bytes()).with(sector).with(sub);
        base64url::encode(hmac::sign(&self.0, context.as_bytes()).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::seeded;

    #[test]
    fn a_subject_is_the_same_for_ever_in_one_sector_and_another_in_each() {
        let keys = PairwiseKeys::from_root(&RootKey::generate(&seeded(1)));
        let (realm, other) = (RealmId::from_bytes([1; 16]), RealmId::from_bytes([2; 16]));
        let alice = keys.subject(realm, "a.example", "alice");
        assert_eq!(alice, keys.subject(realm, "a.example", "alice"));
        assert_eq!(alice.len(), 43);
        let others = [
            keys.subject(realm, "b.example", "alice"),
            keys.subject(realm, "a.example", "bob"),
            keys.subject(realm, "a.examplea", "lice"),
            keys.subject(other, "a.example", "alice"),
            PairwiseKeys::from_root(&RootKey::generate(&seeded(2))).subject(realm, "a.example", "alice"),
        ];
        assert!(!others.contains(&alice));
    }
}
