//! Marks by which a browser is known again: that somebody logged in with it, and since when. They open nothing.

use aws_lc_rs::hmac;
use durward_base::{RealmId, Timestamp, base64url};

use crate::{Context, Purpose, RootKey};

/// Makes and knows the marks that gateways leave in browsers, with a key that is not in the database.
pub struct BrowserMarks(hmac::Key);

impl BrowserMarks {
    /// The marks of this installation's gateways.
    pub fn of_gateways(root: &RootKey) -> Self {
        Self(root.derive(Purpose::BrowserSession, None).mac())
    }

    /// The mark of somebody who logged in to a realm at this moment, to the second: 54 characters of base64url.
    pub fn make(&self, realm: RealmId, subject: &str, since: Timestamp) -> String {
        let since = since.seconds().to_be_bytes();
        let tag = hmac::sign(&self.0, context(realm, subject, since).as_bytes());
        base64url::encode(&[&since[..], tag.as_ref()].concat())
    }

    /// Since when somebody is known, when it is their mark.
    pub fn since(&self, realm: RealmId, subject: &str, mark: &str) -> Option<Timestamp> {
        let bytes = base64url::decode(mark).filter(|bytes| bytes.len() == MARK)?;
        let (since, tag) = bytes.split_first_chunk::<8>()?;
        hmac::verify(&self.0, context(realm, subject, *since).as_bytes(), tag).ok()?;
        Some(Timestamp::from_seconds(i64::from_be_bytes(*since)))
    }
}

/// A time and a SHA-256.
const MARK: usize = 8 + 32;

fn context(realm: RealmId, subject: &str, since: [u8; 8]) -> Context {
    Context::new("durward browser mark 1").with(realm.to_bytes()).with(subject).with(since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::seeded;

    #[test]
    fn a_mark_is_one_persons_in_one_realm_and_nothing_else_is_one() {
        let marks = BrowserMarks::of_gateways(&RootKey::generate(&seeded(1)));
        let (realm, other) = (RealmId::from_bytes([1; 16]), RealmId::from_bytes([2; 16]));
        let now = Timestamp::from_seconds(1_800_000_000);
        let mark = marks.make(realm, "alice", now);
        assert_eq!(mark.len(), 54);
        assert_eq!(marks.since(realm, "alice", &mark), Some(now));
        assert_eq!(marks.since(realm, "bob", &mark), None);
        assert_eq!(marks.since(other, "alice", &mark), None);
        assert_eq!(BrowserMarks::of_gateways(&RootKey::generate(&seeded(2))).since(realm, "alice", &mark), None);
        let older = format!("{}{}", &marks.make(realm, "alice", Timestamp::from_seconds(1))[..10], &mark[10..]);
        for forged in ["", "AAAA", &mark[1..], &format!("{mark}AA"), &older] {
            assert_eq!(marks.since(realm, "alice", forged), None, "{forged}");
        }
    }
}
