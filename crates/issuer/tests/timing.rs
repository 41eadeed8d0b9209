//! LOGIN-001: what a login costs tells nothing about whether there is such a person.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, unused_imports, reason = "the fixture serves the other tests too")]

mod fixture;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use durward_base::Duration;
use fixture::{World, web_request};
use http::StatusCode;

/// Counted in processor time, which the neighbours on a busy machine do not change; on an idle one it is the time to the answer.
#[tokio::test]
async fn known_and_unknown_names_cost_the_same() {
    let world = World::new().await;
    let mut browser = world.browser();
    let mut costs = BTreeMap::from([("alice", Vec::new()), ("nobody", Vec::new())]);
    for round in 0..200_u8 {
        let asked = browser.ask(&web_request(&[])).await;
        let page = browser.follow(&asked).await;
        browser.address = SocketAddr::from(([10, 0, round, 1], 1));
        let names = if round % 2 == 0 { ["alice", "nobody"] } else { ["nobody", "alice"] };
        for name in names {
            let before = processor_time();
            assert_eq!(browser.log_in(&page, name, "wrong password").await.status, StatusCode::FORBIDDEN);
            costs.entry(name).or_default().push(processor_time() - before);
        }
        world.clock.advance(Duration::from_secs(901));
    }
    let median = |name: &str| {
        let mut sorted: Vec<_> = costs[name].clone();
        sorted.sort_unstable();
        sorted[sorted.len() / 2].as_secs_f64()
    };
    let (known, unknown) = (median("alice"), median("nobody"));
    assert!((known / unknown - 1.0).abs() < 0.05, "medians: {known} s for a known name, {unknown} s for an unknown one");
}

/// What all threads of this process have computed.
fn processor_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let nanoseconds = threads.filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("schedstat")).ok());
    Duration::from_nanos(nanoseconds.map(|line| line.split(' ').next().unwrap().parse::<u64>().unwrap()).sum())
}
