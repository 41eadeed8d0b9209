//! Secrets that change by themselves: each period has its own, which every node derives alike and nobody stores.

use aws_lc_rs::hmac;
use durward_base::{Duration, RealmId, Timestamp};
use zeroize::Zeroizing;

use crate::{Context, Purpose, RootKey};

/// Makes the secrets of private keys that others encrypt to.
pub struct PeriodicSecrets(hmac::Key);

/// A stretch of time, counted from the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(i64);

impl Period {
    /// How long one lasts.
    pub const LENGTH: Duration = Duration::from_secs(30 * 86_400);

    /// The one that a moment lies in.
    pub fn of(now: Timestamp) -> Self {
        Self(now.millis().div_euclid(i64::try_from(Self::LENGTH.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The one so many later, or earlier.
    #[must_use]
    pub const fn plus(self, periods: i64) -> Self {
        Self(self.0.saturating_add(periods))
    }
}

impl PeriodicSecrets {
    /// The secrets of this installation.
    pub fn from_root(root: &RootKey) -> Self {
        Self(root.derive(Purpose::RequestObject, None).mac())
    }

    /// The secret of a period in a realm: HMAC-SHA-256. `attempt` gives another one where the first is no key.
    pub fn of(&self, realm: RealmId, period: Period, attempt: u8) -> Zeroizing<[u8; 32]> {
        let context = Context::new("durward periodic secret 1").with(realm.to_bytes()).with(period.0.to_be_bytes()).with([attempt]);
        let mut secret = Zeroizing::new([0; 32]);
        secret.iter_mut().zip(hmac::sign(&self.0, context.as_bytes()).as_ref()).for_each(|(to, from)| *to = *from);
        secret
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::seeded;

    #[test]
    fn a_secret_is_the_same_on_every_node_and_another_in_each_period_and_realm() {
        let root = || RootKey::generate(&seeded(1));
        let (keys, realm, now) =
            (PeriodicSecrets::from_root(&root()), RealmId::from_bytes([1; 16]), Timestamp::from_seconds(1_800_000_000));
        let period = Period::of(now);
        let secret = keys.of(realm, period, 0);
        assert_eq!(secret, PeriodicSecrets::from_root(&root()).of(realm, Period::of(now + Duration::from_secs(60)), 0));
        let others = [
            keys.of(realm, Period::of(now + Period::LENGTH), 0),
            keys.of(realm, period, 1),
            keys.of(RealmId::from_bytes([2; 16]), period, 0),
            PeriodicSecrets::from_root(&RootKey::generate(&seeded(2))).of(realm, period, 0),
        ];
        assert!(!others.contains(&secret));
        assert_eq!(Period::of(now + Period::LENGTH), period.plus(1));
    }
}
