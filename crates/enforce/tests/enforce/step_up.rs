//! RFC 9470: who is told which login would do.

use std::sync::Arc;

use durward_base::Duration;
use durward_enforce::{Circumstances, Consumer, Demand, Denial, Entity, NormalPath, Refusal, Verified, decide};
use durward_model::resource::Requirement;
use serde_json::{Value, json};

use crate::fixture::{NOW, World, resource_version, with};

/// A token of a login so long ago, of such strength.
fn person(world: &World, acr: &str, seconds: i64) -> Arc<Verified> {
    let claims = with(with(world.claims(), "acr", json!(acr)), "auth_time", json!(NOW.seconds() - seconds));
    let token = world.sign("at+jwt", &claims);
    world.cache.verify(&world.view, &Consumer::entrance("main", "payments"), &token, NOW).unwrap()
}

fn ask(world: &World, verified: &Verified, demand: &Demand<'_>, later: u64) -> Result<(), Box<Denial>> {
    let circumstances = Circumstances { now: NOW + Duration::from_secs(later), address: None, known_browser: None };
    decide(&world.view, Some(verified), demand, circumstances, ()).map(drop)
}

fn answer(outcome: Result<(), Box<Denial>>) -> (u16, Option<String>) {
    outcome.map_or_else(
        |denial| {
            let refusal = Refusal::Denied(denial);
            (refusal.status(), refusal.challenge("main"))
        },
        |()| (200, None),
    )
}

fn challenge(parameters: &str) -> Option<String> {
    Some(format!("Bearer realm=\"main\", error=\"insufficient_user_authentication\"{parameters}"))
}

#[test]
fn a_requirement_names_the_login_that_would_do() {
    let world = World::new();
    let both = json!({"acr": "mfa", "max_age_seconds": 300});
    let wanted_both = challenge(", acr_values=\"mfa\", max_age=\"300\"");
    let cases: [(&str, i64, Value, u16, Option<String>); 10] = [
        ("mfa", 30, both.clone(), 200, None),
        ("mfa", 300, both.clone(), 200, None),
        ("mfa", 301, both.clone(), 401, wanted_both.clone()),
        ("pwd", 30, both.clone(), 401, wanted_both.clone()),
        ("gold", 30, both, 401, wanted_both),
        ("pwd", 9_999, json!({"acr": "mfa"}), 401, challenge(", acr_values=\"mfa\"")),
        ("mfa", 9_999, json!({"acr": "pwd"}), 200, None),
        ("pwd", 61, json!({"max_age_seconds": 60}), 401, challenge(", max_age=\"60\"")),
        // Another login does not make a clerk of a customer.
        ("pwd", 30, json!({"acr": "mfa", "roles": ["clerk"]}), 403, None),
        ("mfa", 30, json!({"acr": "mfa", "roles": ["customer"]}), 200, None),
    ];
    for (acr, seconds, wanted, status, challenge) in cases {
        let requirement: Requirement = serde_json::from_value(wanted.clone()).unwrap();
        let asked = ask(&world, &person(&world, acr, seconds), &Demand::Requirement(&requirement), 0);
        assert_eq!(answer(asked), (status, challenge), "{acr}, {seconds} s ago, for {wanted}");
    }
    assert!(serde_json::from_value::<Requirement>(json!({"acr": "gold"})).is_err());
}

#[test]
fn a_program_has_nobody_to_log_in() {
    let world = World::new();
    let token = world.sign("JWT", &world.program_claims());
    let program = world.cache.verify(&world.view, &Consumer::service("main", "inventory"), &token, NOW).unwrap();
    let requirement: Requirement = serde_json::from_value(json!({"acr": "mfa"})).unwrap();
    let denial = ask(&world, &program, &Demand::Requirement(&requirement), 0).unwrap_err();
    assert_eq!((denial.reason, answer(Err(denial.clone()))), ("login_missing", (403, None)));
}

#[test]
fn a_routes_demand_for_a_recent_login_is_asked_anew_at_each_request() {
    let mut world = World::new();
    let route = json!({
        "kind": "route", "name": "r", "path": "/refunds", "upstream": "http://127.0.0.1:1", "service": "payments",
        "require": {"acr": "mfa", "max_age_seconds": 60},
    });
    let version = world.snapshot.position().seq;
    assert_eq!(world.change(resource_version("main", route, version)), []);
    let routed = world.view.routes().find("h", "POST", &NormalPath::parse(b"/refunds").unwrap()).unwrap();
    let alice = person(&world, "mfa", 30);
    for (later, status) in [(0, 200), (30, 200), (31, 401), (30, 200)] {
        assert_eq!(answer(ask(&world, &alice, &Demand::Route(&routed), later)).0, status, "{later} s later");
    }
}

#[test]
fn a_policy_that_reads_the_login_is_asked_which_one_it_would_take() {
    let world = World::new();
    let cases = [
        ("vault", "mfa", 30, 200, None),
        ("vault", "mfa", 61, 401, challenge(", max_age=\"0\"")),
        ("vault", "pwd", 30, 401, challenge(", acr_values=\"mfa\"")),
        ("safe", "pwd", 30, 200, None),
        ("safe", "pwd", 61, 401, challenge(", max_age=\"0\"")),
        // No login opens what is forbidden, or allowed to nobody.
        ("poison", "pwd", 61, 403, None),
        ("bread", "pwd", 61, 403, None),
    ];
    for (sku, acr, seconds, status, challenge) in cases {
        let demand = Demand::Action { action: "inventory:read", resource: &Entity::new("Stock", sku).unwrap() };
        assert_eq!(answer(ask(&world, &person(&world, acr, seconds), &demand, 0)), (status, challenge), "{sku} by {acr}, {seconds} s ago");
    }
}
