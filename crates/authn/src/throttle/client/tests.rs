use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn claim(client: &str, address: &str) -> ClientClaim {
    ClientClaim::new("main", client, address.parse().unwrap())
}

fn exhaust(throttle: &mut ClientThrottle, claim: &ClientClaim) -> usize {
    (0..10_000).take_while(|_| throttle.admits(claim, NOW) && throttle.failed(claim, NOW)).count()
}

/// CLI-009
#[test]
fn a_source_has_twenty_guesses_at_a_client_and_then_one_each_three_seconds() {
    let mut throttle = ClientThrottle::default();
    let attacker = claim("payments", "203.0.113.9");
    assert_eq!(exhaust(&mut throttle, &attacker), 20);
    assert!(throttle.admits(&attacker, NOW + GUESS));
    assert!(throttle.failed(&attacker, NOW + GUESS));
    assert!(!throttle.admits(&attacker, NOW + GUESS));
    assert!(!throttle.failed(&attacker, NOW + GUESS));
}

/// CLI-009: ten thousand wrong secrets from one address and from a thousand.
#[test]
fn nobody_who_guesses_keeps_a_client_out_that_is_elsewhere_or_known() {
    let mut throttle = ClientThrottle::default();
    let (known, new) = (claim("payments", "10.0.0.7"), claim("payments", "10.0.0.8"));
    throttle.succeeded(&known, NOW);
    for host in 0..1_000_u32 {
        exhaust(&mut throttle, &claim("payments", &std::net::Ipv4Addr::from_bits(0xcb00_7100 + host).to_string()));
    }
    assert!(throttle.admits(&new, NOW), "somebody else's guesses count for nobody else");
    exhaust(&mut throttle, &known);
    assert_eq!(exhaust(&mut throttle, &known), 0, "wrong secrets are refused at a known source too");
    assert!(throttle.admits(&known, NOW), "a right secret is not");
}

#[test]
fn a_source_is_an_ipv4_address_or_an_ipv6_network() {
    let mut throttle = ClientThrottle::default();
    exhaust(&mut throttle, &claim("payments", "2001:db8::1"));
    assert!(!throttle.admits(&claim("payments", "2001:db8::ffff:2"), NOW));
    assert!(throttle.admits(&claim("payments", "2001:db8:0:1::1"), NOW));
    assert_eq!(claim("payments", "::ffff:10.0.0.7"), claim("payments", "10.0.0.7"));
    assert_ne!(claim("payments", "10.0.0.8"), claim("payments", "10.0.0.7"));
    assert_ne!(claim("payments", "10.0.0.8"), claim("inventory", "10.0.0.8"));
    assert_eq!(claim(&"x".repeat(60_000), "10.0.0.8"), claim(&"x".repeat(128), "10.0.0.8"));
}
