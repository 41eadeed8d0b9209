use durward_base::Duration;
use durward_enforce::UpstreamHost;

use super::super::host::HostKey;
use super::*;

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn hosts(count: u16) -> Vec<Arc<Host>> {
    (1..=count)
        .map(|port| {
            let host = UpstreamHost { is_tls: false, is_http2: false, host: "h".to_owned(), port, authority: format!("h:{port}").into() };
            Arc::new(Host::new(&HostKey { host, tls: None, server_name: None, health_check: None }, None))
        })
        .collect()
}

/// Which of the hosts are chosen, over many draws.
fn chosen(hosts: &[Arc<Host>], but: Option<&Arc<Host>>, now: Timestamp) -> Vec<bool> {
    let draws = Draws::default();
    let drawn: Vec<_> = (0..200).filter_map(|_| choose(hosts, but, now, &draws)).collect();
    hosts.iter().map(|host| drawn.iter().any(|drawn| Arc::ptr_eq(drawn, host))).collect()
}

#[test]
fn every_host_is_chosen_and_the_busiest_never() {
    let hosts = hosts(4);
    assert_eq!(chosen(&hosts, None, START), [true; 4]);
    hosts[1].begin();
    assert_eq!(chosen(&hosts, None, START), [true, false, true, true]);
    hosts.iter().for_each(|host| host.begin());
    hosts[1].end();
    assert_eq!(chosen(&hosts, None, START), [true; 4]);
    assert_eq!(chosen(&hosts, Some(&hosts[0]), START), [false, true, true, true]);
    assert_eq!(chosen(&hosts[..1], None, START), [true]);
    assert_eq!(chosen(&hosts[..1], Some(&hosts[0]), START), [false]);
}

#[test]
fn a_host_that_failed_is_passed_over_for_thirty_seconds_unless_nobody_is_left() {
    let hosts = hosts(2);
    hosts[0].standing.eject(START);
    let after = |seconds| START + Duration::from_secs(seconds);
    assert_eq!(chosen(&hosts, None, START), [false, true]);
    assert_eq!(chosen(&hosts, None, after(29)), [false, true]);
    assert_eq!(chosen(&hosts, None, after(30)), [true, true]);
    assert_eq!(chosen(&hosts, Some(&hosts[1]), START), [true, false], "there is no other");
    let before = Timestamp::from_seconds(1_700_000_000);
    assert_eq!(chosen(&hosts, None, before), [true, true], "the clock was set back");
    hosts[1].standing.eject(START);
    assert_eq!(chosen(&hosts, None, START), [true, true], "half of them at most");
}

#[test]
fn a_host_that_is_ill_is_passed_over_unless_all_are() {
    let hosts = hosts(3);
    hosts[0].standing.set_ill(true);
    hosts[1].standing.set_ill(true);
    assert_eq!(chosen(&hosts, None, START), [false, false, true]);
    hosts[2].standing.eject(START);
    assert_eq!(chosen(&hosts, None, START), [false, false, true], "rather one that failed than one that is ill");
    hosts[2].standing.set_ill(true);
    assert_eq!(chosen(&hosts, None, START), [true, true, false]);
}
