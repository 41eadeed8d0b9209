//! How much of the way out strangers have: whoever names a URL has it fetched, and slow places would hold what everybody needs.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use durward_authn::Host;

/// How many fetches there are at one time, half of what the way out takes: keys, logouts and notifications get through whoever names slow
/// places.
const AT_ONCE: usize = 16;
/// How many of them one sender may hold.
const OF_ONE: usize = 4;

/// Who fetches what strangers name, now.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<Host, usize>>);

/// The right to one fetch, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    sender: Host,
}

impl Turns {
    /// A turn, where there is one left for whoever sends from this address.
    pub(crate) fn take(&self, address: Option<IpAddr>) -> Option<Turn<'_>> {
        let sender = Host::of(address);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (held.values().sum::<usize>(), held.get(&sender).copied().unwrap_or_default());
        if all >= AT_ONCE || own >= OF_ONE {
            return None;
        }
        held.insert(sender, own + 1);
        Some(Turn { turns: self, sender })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut held = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.sender) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(held.remove(&self.sender)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DCR-007
    #[test]
    fn nobody_holds_more_than_a_few_turns_and_all_together_no_more_than_there_are() {
        let turns = Turns::default();
        let sender = |number: u8| Some(IpAddr::from([192, 0, 2, number]));
        let mut held: Vec<_> = (0..20).filter_map(|_| turns.take(sender(1))).collect();
        assert_eq!(held.len(), OF_ONE);
        assert!(turns.take(sender(2)).is_some(), "others go on");
        held.pop();
        held.extend(turns.take(sender(1)));
        assert_eq!(held.len(), OF_ONE, "what is given back is there again");
        held.extend((0..100).filter_map(|number| turns.take(sender(2 + number % 20))));
        assert_eq!(held.len(), AT_ONCE);
        drop(held);
        assert!(turns.0.lock().unwrap().is_empty());
    }
}
