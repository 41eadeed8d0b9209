//! What is kept of answers that read the moment: never another answer than a credential that was never seen would get, nor other values.

use std::net::IpAddr;
use std::sync::Arc;

use durward_base::Duration;
use durward_enforce::{Circumstances, Consumer, CredentialCache, Decision, Demand, Denial, Entity, Verified, decide};
use serde_json::json;

use crate::fixture::{NOW, World, resource};

const POLICIES: [&str; 9] = [
    "permit (principal, action, resource) when { context.time > 0 };",
    "permit (principal, action, resource) when { context.time < 1800000060 };",
    "permit (principal, action, resource) when { context has auth_age && context.auth_age < 60 };",
    "permit (principal, action, resource) when { context.time + 0 > 1800000030 };",
    "permit (principal, action, resource); forbid (principal, action, resource) when { context.time >= 1800000030 && context.time <= 1800000031 };",
    "permit (principal, action, resource) when { context has address && context.address.isInRange(ip(\"10.0.0.0/8\")) };",
    "permit (principal, action, resource) when { context has known_browser && context.known_browser };",
    "permit (principal, action, resource); forbid (principal, action, resource) when { context.time * 9223372036854775807 == 0 };",
    "permit (principal, action, resource) when { context has acr && context.acr == \"mfa\" };",
];

/// Moments in no order: clocks are set back, too.
fn moments() -> Vec<Circumstances> {
    let address = |text: &str| Some(text.parse::<IpAddr>().unwrap());
    let from = [(address("10.1.2.3"), None), (address("192.0.2.1"), Some(true)), (None, Some(false))];
    let ahead = [0, 400, 1_000, 29_000, 30_000, 30_999, 31_000, 32_000, 59_999, 60_000, 500, 61_000, 0];
    let at = |ahead| from.map(|(address, known_browser)| Circumstances { now: NOW + Duration::from_millis(ahead), address, known_browser });
    ahead.into_iter().flat_map(at).collect()
}

fn person(world: &World, cache: &CredentialCache, token: &str) -> Arc<Verified> {
    cache.verify(&world.view, &Consumer::entrance("main", "payments"), token, NOW).unwrap()
}

fn ask(world: &World, who: &Verified, sku: &str, circumstances: Circumstances) -> Result<Arc<Decision>, Box<Denial>> {
    let resource = Entity::new("Stock", sku).unwrap();
    let demand = Demand::Action { action: "inventory:read", resource: &resource };
    decide(&world.view, Some(who), &demand, circumstances, ()).map(|permitted| Arc::clone(permitted.decision()))
}

#[test]
fn a_kept_answer_is_what_one_who_was_never_seen_gets_and_shows_the_values_of_now_pol_008() {
    for policy in POLICIES {
        let mut world = World::new();
        assert_eq!(world.change(resource("main", json!({"kind": "policy", "name": "moment", "text": policy}))), []);
        let token = world.token();
        let known = person(&world, &world.cache, &token);
        for circumstances in moments() {
            for sku in ["bread", "salt"] {
                let fresh = person(&world, &CredentialCache::new(&world.rng), &token);
                let (kept, fresh) = (ask(&world, &known, sku, circumstances), ask(&world, &fresh, sku, circumstances));
                assert_eq!(kept, fresh, "{policy} {circumstances:?}");
            }
        }
    }
}

#[test]
fn an_answer_that_compares_the_moment_with_constants_is_asked_once() {
    let mut world = World::new();
    assert_eq!(world.change(resource("main", json!({"kind": "policy", "name": "moment", "text": POLICIES[1]}))), []);
    let known = person(&world, &world.cache, &world.token());
    let at = |ahead| Circumstances { now: NOW + Duration::from_millis(ahead), address: None, known_browser: None };
    let first = ask(&world, &known, "bread", at(0)).unwrap();
    assert!(Arc::ptr_eq(&first, &ask(&world, &known, "bread", at(999)).unwrap()), "the second is the same");
    let later = ask(&world, &known, "bread", at(1_000)).unwrap();
    assert_eq!(
        (&later.read, &first.read),
        (&vec![("context.time".to_owned(), "1800000001".to_owned())], &vec![("context.time".to_owned(), "1800000000".to_owned())])
    );
    assert_eq!(ask(&world, &known, "bread", at(60_000)).unwrap_err().reason, "not_permitted");
}
