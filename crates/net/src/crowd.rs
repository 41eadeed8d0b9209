//! How many connections one address may hold at a time, so that nobody alone takes all there are.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The connections of one listener, counted by address. This machine's own are not: a proxy on it stands for all of its clients.
pub(crate) struct Crowd {
    most: usize,
    held: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection that is counted for as long as this is kept.
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    address: Option<IpAddr>,
}

impl Crowd {
    pub(crate) fn of(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
    }

    /// Counts a connection, or says why there may not be another.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Place, &'static str> {
        let address = address.filter(|address| !address.is_loopback()).map(one_caller);
        if let Some(address) = address {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            let held = held.entry(address).or_default();
            if *held >= self.most {
                return Err("connections.too_many");
            }
            *held += 1;
        }
        Ok(Place { crowd: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut held = self.crowd.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = held.entry(address) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// The addresses that one caller can choose from are one: a /64 of IPv6.
fn one_caller(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GWDOS-004, GWDOS-009
    #[test]
    fn an_address_holds_no_more_than_its_share_and_gets_back_what_it_leaves() {
        let crowd = Crowd::of(2);
        let admit = |address: &str| crowd.admit(Some(address.parse().unwrap()));
        let (first, _second) = (admit("192.0.2.1").unwrap(), admit("192.0.2.1").unwrap());
        assert!(admit("192.0.2.1").is_err());
        let _other = admit("192.0.2.2").unwrap();
        let _of_a_network = (admit("2001:db8::1").unwrap(), admit("2001:db8::2").unwrap());
        assert!(admit("2001:db8::3").is_err() && admit("2001:db8:0:1::3").is_ok());
        drop(first);
        assert!(admit("192.0.2.1").is_ok());
        let _own: Vec<Place> = (0..9).map(|_| admit("127.0.0.1").unwrap()).collect();
        drop((_second, _other, _of_a_network));
        assert!(crowd.held.lock().unwrap().is_empty(), "nobody who has left is remembered");
    }
}
