//! How often: a limit's requests are spread over its time, and what was not used in it can be used at once (the generic cell rate algorithm).
//! draft-ietf-httpapi-ratelimit-headers: `RateLimit` and `RateLimit-Policy`; RFC 6585 section 4: 429.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use durward_base::{Duration, Timestamp};
use durward_enforce::{CompiledRoute, Verified};
use durward_model::resource::{RateKey, RateLimit};
use durward_net::Problem;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::accept::Client;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The most that are counted at a time, 24 bytes each. When there are more, those that have used least are forgotten first.
const MOST: usize = 100_000;

/// What has been used of limits: for each the moment at which nothing is used any more, since 1970. A thousand requests a second are apart by
/// parts of what a `Timestamp` counts in.
#[derive(Default)]
pub(crate) struct Rates {
    used: Mutex<HashMap<u64, Duration>>,
    hasher: RandomState,
}

/// What is left of the limit that has least left.
pub(crate) struct Left {
    limit: RateLimit,
    requests: u32,
    reset: Duration,
}

impl Rates {
    /// Counts a request against those limits of its route that are about nobody in particular.
    ///
    /// # Errors
    /// 429, when one is used up.
    pub(crate) fn admit(&self, route: &CompiledRoute, client: &Client, now: Timestamp) -> Result<Option<Left>, Problem> {
        let who = |per| client.ip.filter(|_| per == RateKey::Address).map(network).unwrap_or_default();
        self.count(route, RateKey::is_anonymous, who, now)
    }

    /// The same for those that are about who asks.
    ///
    /// # Errors
    /// 429, when one is used up.
    pub(crate) fn admit_caller(&self, route: &CompiledRoute, verified: &Verified, now: Timestamp) -> Result<Option<Left>, Problem> {
        let principal = verified.principal();
        let who = |per| match per {
            RateKey::Key => principal.credential.family.clone().unwrap_or_else(|| principal.credential.id.clone()),
            _ => format!("{} {}", principal.kind.name(), principal.id),
        };
        self.count(route, |per| !per.is_anonymous(), who, now)
    }

    fn count(
        &self,
        route: &CompiledRoute,
        counted: impl Fn(RateKey) -> bool,
        who: impl Fn(RateKey) -> String,
        now: Timestamp,
    ) -> Result<Option<Left>, Problem> {
        let mut least: Option<Left> = None;
        for (number, limit) in route.resource().limits.iter().enumerate().filter(|(_, limit)| counted(limit.per)) {
            let key = self.hasher.hash_one((route.identity().0, number, who(limit.per)));
            let left = self.take(key, limit, now).map_err(|wait| refused(limit, wait))?;
            if least.as_ref().is_none_or(|least| left.requests < least.requests) {
                least = Some(left);
            }
        }
        Ok(least)
    }

    /// Takes one request out of what a limit has left, or says how long to wait for it.
    fn take(&self, key: u64, limit: &RateLimit, now: Timestamp) -> Result<Left, Duration> {
        let window = Duration::from_secs(limit.seconds.into());
        let each = window / limit.requests.max(1);
        let now = now.since(Timestamp::default());
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let until = used.get(&key).copied().filter(|until| *until > now).unwrap_or(now) + each;
        let ahead = until - now;
        if ahead > window {
            return Err(ahead - window);
        }
        if used.len() >= MOST && !used.contains_key(&key) {
            make_room(&mut used, now);
        }
        used.insert(key, until);
        let left = (window - ahead).as_nanos() / each.as_nanos().max(1);
        Ok(Left { limit: limit.clone(), requests: u32::try_from(left).unwrap_or(u32::MAX), reset: ahead })
    }
}

/// GWDOS-009: what one caller can have any number of counts as one: the addresses of an IPv6 network of 64 bits, and both spellings of an IPv4 one.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
    }
}

/// Forgets what is used up by time, and of the rest the half that has used least: nobody gets free by bringing many others along.
fn make_room(used: &mut HashMap<u64, Duration>, now: Duration) {
    used.retain(|_, until| *until > now);
    if used.len() >= MOST {
        let mut moments: Vec<Duration> = used.values().copied().collect();
        let (_, middle, _) = moments.select_nth_unstable(MOST / 2);
        let middle = *middle;
        used.retain(|_, until| *until > middle);
    }
}

impl Left {
    /// What the answer says of it.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> + use<> {
        let Self { limit: RateLimit { per, requests, seconds }, requests: left, reset } = self;
        let name = per.name();
        let fields = [
            (RATE_LIMIT, format!("\"{name}\";r={left};t={}", seconds_of(*reset))),
            (RATE_LIMIT_POLICY, format!("\"{name}\";q={requests};w={seconds}")),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?)))
    }
}

/// RFC 6585 section 4: "MAY include a Retry-After header indicating how long to wait before making a new request."
fn refused(limit: &RateLimit, wait: Duration) -> Problem {
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests: wait as long as Retry-After says.")
        .header(header::RETRY_AFTER, HeaderValue::from(seconds_of(wait).max(1)));
    let left = Left { limit: limit.clone(), requests: 0, reset: wait };
    left.fields().fold(problem, |problem, (name, value)| problem.header(name, value))
}

/// In whole seconds, rounded up.
fn seconds_of(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(requests: u32, seconds: u32) -> RateLimit {
        RateLimit { per: RateKey::Address, requests, seconds }
    }

    #[test]
    fn a_limit_lets_its_requests_pass_and_the_next_when_its_time_has_come() {
        let (rates, limit) = (Rates::default(), limit(3, 60));
        let start = Timestamp::from_seconds(1_800_000_000);
        let left: Vec<_> = (0..3).map(|_| rates.take(1, &limit, start).ok().unwrap().requests).collect();
        assert_eq!(left, [2, 1, 0]);
        assert_eq!(rates.take(1, &limit, start).err(), Some(Duration::from_secs(20)));
        assert!(rates.take(2, &limit, start).is_ok(), "another is counted by itself");
        assert_eq!(rates.take(1, &limit, start + Duration::from_secs(19)).err(), Some(Duration::from_secs(1)));
        assert!(rates.take(1, &limit, start + Duration::from_secs(20)).is_ok());
        assert!(rates.take(1, &limit, start + Duration::from_secs(20)).is_err());
        let all = (0..4).filter(|_| rates.take(1, &limit, start + Duration::from_secs(200)).is_ok());
        assert_eq!(all.count(), 3, "no more is saved up than the limit");
    }

    #[test]
    fn as_many_pass_at_once_as_the_limit_says_at_every_rate() {
        for (requests, seconds) in [(1, 60), (7, 3), (600, 1), (999, 1), (1_000, 1), (60_001, 60)] {
            let (rates, limit, now) = (Rates::default(), limit(requests, seconds), Timestamp::from_seconds(1_800_000_000));
            let passed = (0..=requests).filter(|_| rates.take(1, &limit, now).is_ok()).count();
            assert_eq!(passed, requests as usize, "{requests} in {seconds} s");
        }
    }

    #[test]
    fn addresses_that_one_caller_can_choose_from_count_as_one_gwdos_009() {
        let same = |left: &str, right: &str| network(left.parse().unwrap()) == network(right.parse().unwrap());
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9") && same("::ffff:192.0.2.1", "192.0.2.1"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1") && !same("192.0.2.1", "192.0.2.2"));
    }

    #[test]
    fn memory_is_bounded_and_whoever_has_used_most_is_remembered() {
        let (rates, limit) = (Rates::default(), limit(100, 60));
        let now = Timestamp::from_seconds(1_800_000_000);
        for _ in 0..100 {
            assert!(rates.take(u64::MAX, &limit, now).is_ok());
        }
        for other in 0..MOST as u64 + 10 {
            assert!(rates.take(other, &limit, now).is_ok());
        }
        assert!(rates.used.lock().unwrap().len() <= MOST);
        assert!(rates.take(u64::MAX, &limit, now).is_err());
    }
}
