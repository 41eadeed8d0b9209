use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn account(name: &str) -> Account {
    Account::new("main", Username::parse(name).unwrap())
}

fn at(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn fails(throttle: &mut Throttle, now: Timestamp, name: &str, from: &str) -> Verdict {
    throttle.attempt(now, &account(name), address(from))
}

/// LOGIN-001
#[test]
fn after_five_failures_each_further_one_doubles_the_delay() {
    let mut throttle = Throttle::default();
    for _ in 0..5 {
        assert_eq!(fails(&mut throttle, START, "alice", "192.0.2.1"), Verdict::Allowed);
    }
    let mut now = START;
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        assert_eq!(fails(&mut throttle, now, "alice", "192.0.2.1"), Verdict::Wait(Duration::from_secs(seconds)));
        now = now + Duration::from_secs(seconds);
        assert_eq!(fails(&mut throttle, now, "alice", "192.0.2.1"), Verdict::Allowed, "after {seconds} s");
    }
}

/// LOGIN-001: one counter, whatever the spelling, whatever the address, and in a day fewer than the 100 that NIST allows in a row.
#[test]
fn two_hundred_addresses_and_every_alias_share_one_counter() {
    let mut throttle = Throttle::default();
    let aliases = ["alice", "ALICE", "Ａlice", " alice "];
    let mut allowed = 0;
    for try_number in 0..200_u64 {
        let name = aliases[usize::try_from(try_number).unwrap() % aliases.len()];
        let from = format!("10.{try_number}.0.1");
        allowed += usize::from(fails(&mut throttle, at(try_number), name, &from) == Verdict::Allowed);
    }
    assert!(allowed <= 13, "{allowed} guesses in 200 seconds");
    let in_a_day = (0..86_400).filter(|second| fails(&mut throttle, at(200 + second), "alice", "198.51.100.1") == Verdict::Allowed).count();
    assert!(in_a_day + allowed < 115, "{in_a_day} guesses in a day");
}

#[test]
fn a_thousand_attempts_at_once_are_counted_before_any_is_verified() {
    let mut throttle = Throttle::default();
    let allowed = (0..1000).filter(|_| fails(&mut throttle, START, "alice", "192.0.2.1") == Verdict::Allowed).count();
    assert_eq!(allowed, 5);
}

#[test]
fn attempts_that_came_at_once_are_counted_in_any_order() {
    let mut throttle = Throttle::default();
    for earlier in 0..5 {
        let now = START + Duration::from_micros(5 - earlier);
        assert_eq!(fails(&mut throttle, now, "alice", "192.0.2.1"), Verdict::Allowed, "{earlier}");
    }
}

/// R17: what a network spent on others' accounts is not given back for its own success.
#[test]
fn success_clears_the_account_and_not_the_network() {
    let mut throttle = Throttle::default();
    for victim in 0..49 {
        assert_eq!(fails(&mut throttle, START, &format!("victim-{victim}"), "192.0.2.1"), Verdict::Allowed);
    }
    for _ in 0..100 {
        assert_eq!(fails(&mut throttle, START, "mallory", "192.0.2.2"), Verdict::Allowed);
        throttle.succeeded(&account("mallory"), address("192.0.2.2"));
    }
    assert_eq!(fails(&mut throttle, START, "victim-49", "192.0.2.3"), Verdict::Allowed);
    assert!(matches!(fails(&mut throttle, START, "victim-50", "192.0.2.4"), Verdict::Wait(_)));
    assert_eq!(fails(&mut throttle, START, "victim-50", "192.0.3.4"), Verdict::Allowed, "another network");
}

/// LOGIN-004
#[test]
fn a_network_has_fifty_failures_a_minute() {
    for (name, addresses) in [
        ("/24", ["203.0.113.1", "203.0.113.77", "::ffff:203.0.113.200"]),
        ("/64", ["2001:db8:1:2::1", "2001:db8:1:2:ffff::", "2001:db8:1:2:3:4:5:6"]),
    ] {
        let mut throttle = Throttle::default();
        let mut spray = |count: usize, now| {
            (0..count)
                .filter(|n| {
                    fails(&mut throttle, now, &format!("{now:?}-{n}").replace(['(', ')'], ""), addresses[n % 3]) == Verdict::Allowed
                })
                .count()
        };
        assert_eq!(spray(500, START), 50, "{name}");
        assert_eq!(spray(500, at(60)), 50, "{name}: a minute later");
    }
}

#[test]
fn few_failures_are_forgotten_after_a_quarter_of_an_hour() {
    let mut throttle = Throttle::default();
    for round in 0..10 {
        for _ in 0..4 {
            assert_eq!(fails(&mut throttle, at(round * 900), "alice", "192.0.2.1"), Verdict::Allowed);
        }
    }
}

#[test]
fn an_abandoned_attempt_does_not_count() {
    let mut throttle = Throttle::default();
    for _ in 0..200 {
        assert_eq!(fails(&mut throttle, START, "alice", "192.0.2.1"), Verdict::Allowed);
        throttle.abandoned(&account("alice"), address("192.0.2.1"));
    }
}

#[test]
fn realms_do_not_share_counters() {
    let mut throttle = Throttle::default();
    for _ in 0..5 {
        fails(&mut throttle, START, "alice", "192.0.2.1");
    }
    let elsewhere = Account::new("other", Username::parse("alice").unwrap());
    assert_eq!(throttle.attempt(START, &elsewhere, address("192.0.2.1")), Verdict::Allowed);
}

#[test]
fn memory_is_bounded_and_the_oldest_goes_first() {
    let mut bounded = Bounded::new(3);
    for (key, second) in [("a", 0), ("b", 1), ("c", 2), ("a", 3), ("d", 4)] {
        bounded.put(key, second, at(second));
    }
    assert_eq!(bounded.len(), 3);
    assert_eq!((bounded.get(&"a"), bounded.get(&"b")), (Some(&3), None));
}

proptest! {
    #[test]
    fn whatever_happens_no_account_gets_more_than_its_share(seconds in proptest::collection::vec(0_u64..40, 1..300)) {
        let mut throttle = Throttle::default();
        let (mut now, mut allowed) = (START, 0_u64);
        for step in seconds {
            now = now + Duration::from_secs(step);
            allowed += u64::from(fails(&mut throttle, now, "alice", "192.0.2.1") == Verdict::Allowed);
        }
        // Five at once, ten while the delay doubles up to its end, then one a quarter of an hour.
        prop_assert!(allowed <= 16 + now.since(START).as_secs() / 900, "{allowed}");
    }
}
