//! Which host a request goes to: of two drawn at random, the one with fewer requests under way (the power of two choices).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use durward_base::Timestamp;

use super::host::Host;

/// Numbers to draw hosts by: SplitMix64, one step a draw. Nothing depends on nobody knowing them.
#[derive(Default)]
pub(super) struct Draws(AtomicU64);

impl Draws {
    fn next(&self) -> u64 {
        let mut draw = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        draw = (draw ^ draw >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        draw = (draw ^ draw >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        draw ^ draw >> 31
    }
}

/// A host other than `but`. Those whose health check failed are passed over unless all have failed it; so are those that have failed too often,
/// unless that were more than half of all, or left nobody.
pub(super) fn choose<'a>(hosts: &'a [Arc<Host>], but: Option<&Arc<Host>>, now: Timestamp, draws: &Draws) -> Option<&'a Arc<Host>> {
    let all_ill = hosts.iter().all(|host| host.standing.is_ill());
    let is_well = |host: &&Arc<Host>| (all_ill || !host.standing.is_ill()) && !but.is_some_and(|but| Arc::ptr_eq(but, host));
    let well = hosts.iter().filter(is_well);
    let trusted = well.clone().filter(|host| !host.standing.is_ejected(now));
    let is_half = ejected(hosts, now) * 2 <= hosts.len();
    if is_half { less_busy(trusted, draws).or_else(|| less_busy(well, draws)) } else { less_busy(well, draws) }
}

/// How many are passed over because they failed.
pub(super) fn ejected(hosts: &[Arc<Host>], now: Timestamp) -> usize {
    hosts.iter().filter(|host| host.standing.is_ejected(now)).count()
}

fn less_busy<'a>(hosts: impl Iterator<Item = &'a Arc<Host>> + Clone, draws: &Draws) -> Option<&'a Arc<Host>> {
    let count = hosts.clone().count();
    if count < 2 {
        return hosts.clone().next();
    }
    let draw = draws.next();
    let first = (draw & u64::from(u32::MAX)) as usize % count;
    let second = (first + 1 + (draw >> 32) as usize % (count - 1)) % count;
    let (first, second) = (hosts.clone().nth(first)?, hosts.clone().nth(second)?);
    Some(if first.in_flight() <= second.in_flight() { first } else { second })
}

#[cfg(test)]
mod tests;
