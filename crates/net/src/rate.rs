//! How often one network may call, by rate class: a counter a minute for each /24 or /64.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use durward_base::{Duration, Timestamp};
use durward_model::RateClass;

const MINUTE: i64 = 60_000;
/// Networks remembered at a time; past it the oldest minute is forgotten whole.
const NETWORKS: usize = 65_536;

/// The counters of one surface.
#[derive(Debug, Default)]
pub struct Rates(Mutex<Counters>);

#[derive(Debug, Default)]
struct Counters {
    minute: i64,
    calls: HashMap<(RateClass, IpAddr), u32>,
}

impl Rates {
    /// Counts a call; `Err` says how long to wait.
    pub fn count(&self, class: RateClass, address: IpAddr, now: Timestamp) -> Result<(), Duration> {
        let Some(limit) = limit(class) else { return Ok(()) };
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.millis().div_euclid(MINUTE);
        // Of two calls around the full minute, the one that read the clock first may be counted last: it counts in the new one.
        let is_late = minute + 1 == counters.minute;
        if counters.minute != minute && !is_late || counters.calls.len() >= NETWORKS {
            counters.minute = minute;
            counters.calls.clear();
        }
        let calls = counters.calls.entry((class, network(address))).or_default();
        *calls = calls.saturating_add(1);
        if *calls <= limit { Ok(()) } else { Err(Timestamp::from_millis((minute + 1) * MINUTE).since(now)) }
    }
}

/// Calls a minute; `None` where the endpoint's own work or throttle bounds it.
const fn limit(class: RateClass) -> Option<u32> {
    match class {
        RateClass::Read => Some(60_000),
        RateClass::Manage => Some(1_200),
        RateClass::Machine | RateClass::Login => None,
    }
}

/// The /24 or /64 an address stands in.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4((address.to_bits() & 0xffff_ff00).into()),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_refused_past_its_limit_until_the_minute_ends() {
        let rates = Rates::default();
        let now = Timestamp::from_millis(MINUTE / 2);
        for host in 0..1_200u32 {
            let address = IpAddr::from([10, 0, 0, (host % 250) as u8]);
            assert_eq!(rates.count(RateClass::Manage, address, now), Ok(()));
        }
        assert_eq!(rates.count(RateClass::Manage, IpAddr::from([10, 0, 0, 9]), now), Err(Duration::from_secs(30)));
        assert_eq!(rates.count(RateClass::Manage, IpAddr::from([10, 0, 1, 9]), now), Ok(()));
        assert_eq!(rates.count(RateClass::Manage, IpAddr::from([10, 0, 0, 9]), now + Duration::from_secs(30)), Ok(()));
    }
}
