//! What a credential is kept to besides its audience and its scopes: routes, networks, and so many requests a minute.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use durward_base::{Duration, Timestamp};
use durward_model::CredentialLimits;

/// The limits of one credential, and how far it has gone towards them at this node.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    limits: CredentialLimits,
    /// When the requests made so far would all have been due at the pace allowed: microseconds since 1970.
    due: Arc<AtomicI64>,
}

/// The credential is good, and not for this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoundsError {
    /// It is for other routes.
    #[error("the credential is not good on this route")]
    Route,
    /// It may not come from there.
    #[error("the credential is not good from this address")]
    Network,
    /// It has made too many requests. 429.
    #[error("the credential is good for {most} requests a minute: try again in {} s", .wait.as_secs() + 1)]
    Rate {
        /// How many.
        most: u32,
        /// When it is good again.
        wait: Duration,
    },
}

impl BoundsError {
    /// A stable name for the audit record.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Route => "credential_route",
            Self::Network => "credential_network",
            Self::Rate { .. } => "credential_rate",
        }
    }
}

impl Bounds {
    pub fn new(limits: CredentialLimits) -> Self {
        Self { limits, due: Arc::default() }
    }

    /// Counts on together with another answer about the same credential.
    pub fn count_with(&mut self, other: &Self) {
        self.due = Arc::clone(&other.due);
    }

    /// Whether requests are counted at all.
    pub const fn are_counted(&self) -> bool {
        self.limits.requests_per_minute.is_some()
    }

    /// Whether a request is within the limits; it is counted if so. `route` is none where there are no routes.
    pub fn admit(&self, route: Option<&str>, address: Option<IpAddr>, now: Timestamp) -> Result<(), BoundsError> {
        let CredentialLimits { routes, networks, requests_per_minute } = &self.limits;
        if !routes.is_empty() && !route.is_some_and(|route| routes.iter().any(|known| known == route)) {
            return Err(BoundsError::Route);
        }
        let address = address.map(|address| address.to_canonical());
        if !networks.is_empty() && !address.is_some_and(|address| networks.iter().any(|network| network.contains(&address))) {
            return Err(BoundsError::Network);
        }
        requests_per_minute.map_or(Ok(()), |most| self.count(most, now))
    }

    /// A minute's requests may be made at once; they come back one by one.
    fn count(&self, most: u32, now: Timestamp) -> Result<(), BoundsError> {
        let (now, each) = (now.millis().saturating_mul(1000), MINUTE / i64::from(most.max(1)));
        let next = |due: i64| (due.max(now) + each <= now + MINUTE).then(|| due.max(now) + each);
        self.due.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).map(drop).map_err(|due| {
            let wait = Duration::from_micros((due + each - now - MINUTE).unsigned_abs());
            BoundsError::Rate { most, wait }
        })
    }
}

const MINUTE: i64 = 60_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn a_minutes_requests_may_be_made_at_once_and_come_back_one_by_one() {
        let bounds = Bounds::new(CredentialLimits { requests_per_minute: Some(3), ..CredentialLimits::default() });
        let admit = |bounds: &Bounds, seconds| bounds.admit(None, None, NOW + Duration::from_secs(seconds));
        for _ in 0..3 {
            assert_eq!(admit(&bounds, 0), Ok(()));
        }
        assert_eq!(admit(&bounds, 5), Err(BoundsError::Rate { most: 3, wait: Duration::from_secs(15) }));
        assert_eq!(admit(&bounds, 20), Ok(()));
        let mut next = Bounds::new(bounds.limits.clone());
        next.count_with(&bounds);
        assert!(admit(&next, 20).is_err(), "a new answer of the authority gives nothing back");
        assert_eq!(admit(&next, 120), Ok(()));
    }

    #[test]
    fn a_credential_is_good_on_its_routes_and_from_its_networks_alone() {
        let networks = vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let bounds = Bounds::new(CredentialLimits { routes: vec!["stock".to_owned()], networks, requests_per_minute: None });
        let from = |address: &str| bounds.admit(Some("stock"), Some(address.parse().unwrap()), NOW);
        for good in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"] {
            assert_eq!(from(good), Ok(()), "{good}");
        }
        for bad in ["192.0.3.1", "127.0.0.1", "2001:db9::1", "::192.0.2.1"] {
            assert_eq!(from(bad), Err(BoundsError::Network), "{bad}");
        }
        assert_eq!(bounds.admit(Some("stock"), None, NOW), Err(BoundsError::Network));
        assert_eq!(bounds.admit(Some("orders"), None, NOW), Err(BoundsError::Route));
        assert_eq!(bounds.admit(None, None, NOW), Err(BoundsError::Route));
    }
}
