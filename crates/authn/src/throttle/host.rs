//! Who sends, as limits count it: what one sender can have any number of is one.

use std::net::{IpAddr, Ipv4Addr};

/// An IPv4 address, in either spelling, or an IPv6 network of 64 bits (RFC 4291 section 2.5.1: its hosts choose the rest).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host(IpAddr);

impl Host {
    /// The one that an address is of. All that have none are one.
    pub fn of(address: Option<IpAddr>) -> Self {
        match address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical() {
            IpAddr::V6(address) => Self(IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into())),
            address @ IpAddr::V4(_) => Self(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_one_sender_can_choose_from_are_one_gwdos_009() {
        let host = |address: &str| Host::of(Some(address.parse().unwrap()));
        assert_eq!(host("2001:db8:1:2::1"), host("2001:db8:1:2:ffff:ffff:ffff:9"));
        assert_eq!(host("::ffff:192.0.2.1"), host("192.0.2.1"));
        assert_ne!(host("2001:db8:1:2::1"), host("2001:db8:1:3::1"));
        assert_ne!(host("192.0.2.1"), host("192.0.2.2"));
    }
}
