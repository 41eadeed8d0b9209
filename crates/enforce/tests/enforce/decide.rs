//! Requirements, policies, and what is kept of their answers.

use std::sync::Arc;

use crate::fixture::{NOW, World, resource, resource_version, with};
use durward_base::Duration;
use durward_enforce::{Circumstances, Consumer, Decision, Demand, Denial, Entity, NormalPath, Routed, Verified, decide};
use durward_model::resource::Requirement;
use serde_json::{Value, json};

fn here() -> Circumstances {
    Circumstances { now: NOW, address: None, known_browser: None }
}

fn person(world: &World, roles: &[&str]) -> Arc<Verified> {
    world.cache.verify(&world.view, &Consumer::entrance("main", "payments"), &world.token_with_roles(roles), NOW).unwrap()
}

fn payments(world: &World) -> Arc<Verified> {
    let token = world.sign("JWT", &world.program_claims());
    world.cache.verify(&world.view, &Consumer::service("main", "inventory"), &token, NOW).unwrap()
}

fn ask(world: &World, verified: &Verified, demand: &Demand<'_>) -> Result<Arc<Decision>, Box<Denial>> {
    decide(&world.view, Some(verified), demand, here(), ()).map(|permitted| Arc::clone(permitted.decision()))
}

fn act(world: &World, verified: &Verified, action: &str, sku: &str) -> Result<Arc<Decision>, Box<Denial>> {
    ask(world, verified, &Demand::Action { action, resource: &Entity::new("Stock", sku).unwrap() })
}

fn requirement(value: Value) -> Requirement {
    serde_json::from_value(value).unwrap()
}

fn routed(world: &mut World, route: Value, path: &str) -> Routed {
    let mut whole = json!({"kind": "route", "name": "r", "upstream": "http://127.0.0.1:1", "service": "payments"});
    whole.as_object_mut().unwrap().extend(route.as_object().unwrap().clone());
    let version = world.snapshot.position().seq;
    assert_eq!(world.change(resource_version("main", whole, version)), []);
    world.view.routes().find("h", "GET", &NormalPath::parse(path.as_bytes()).unwrap()).unwrap()
}

#[test]
fn a_requirement_wants_all_its_scopes_one_of_its_roles_one_of_its_callers() {
    let world = World::new();
    let (alice, program) = (person(&world, &["customer", "clerk"]), payments(&world));
    let cases = [
        (&alice, json!({"authenticated": true}), ""),
        (&alice, json!({"scopes": ["order"]}), ""),
        (&alice, json!({"scopes": ["order", "refund"]}), "scope_missing"),
        (&alice, json!({"roles": ["clerk", "boss"]}), ""),
        (&alice, json!({"roles": ["boss"]}), "role_missing"),
        (&alice, json!({"roles": ["cler"]}), "role_missing"),
        (&alice, json!({"roles": ["CLERK"]}), "role_missing"),
        (&alice, json!({"callers": ["alice-sub"]}), "caller_not_allowed"),
        (&program, json!({"callers": ["accounts", "payments"]}), ""),
        (&program, json!({"callers": ["payments-program"]}), "caller_not_allowed"),
        (&program, json!({"callers": ["payments"], "roles": ["clerk"]}), "role_missing"),
        (&alice, json!({}), "not_permitted"),
    ];
    for (verified, wanted, reason) in cases {
        let wanted = requirement(wanted);
        let answer = ask(&world, verified, &Demand::Requirement(&wanted));
        assert_eq!(answer.err().map_or("", |denial| denial.reason), reason, "{wanted:?}");
    }
    let wanted = requirement(json!({"scopes": ["refund"]}));
    let denial = ask(&world, &alice, &Demand::Requirement(&wanted)).unwrap_err();
    assert_eq!(denial.scope.as_deref(), Some("refund"));
    let refusal = durward_enforce::Refusal::Denied(denial);
    let challenge = r#"Bearer realm="main", error="insufficient_scope", scope="refund""#;
    assert_eq!((refusal.status(), refusal.challenge("main").as_deref()), (403, Some(challenge)));
}

#[test]
fn a_decision_says_what_decided_and_the_values_it_read() {
    let world = World::new();
    let clerk = person(&world, &["clerk"]);
    let wanted = requirement(json!({"roles": ["clerk"], "scopes": ["order"]}));
    let decision = ask(&world, &clerk, &Demand::Requirement(&wanted)).unwrap();
    assert_eq!((decision.by.as_str(), decision.rule.as_str(), decision.version), ("requirement", "scope order, role clerk", 100));
    let read = [("principal.scopes", "order"), ("principal.roles", "clerk")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(decision.read, read);

    let decision = act(&world, &clerk, "inventory:restock", "4711").unwrap();
    assert_eq!((decision.by.as_str(), decision.rule.as_str()), ("policy", "shop#clerk"));
    assert_eq!((decision.action.as_deref(), decision.resource.as_deref()), (Some("inventory:restock"), Some(r#"Stock::"4711""#)));
    assert!(decision.read.contains(&("principal.roles".to_owned(), "clerk".to_owned())));

    let denial = act(&world, &clerk, "inventory:restock", "poison").unwrap_err();
    assert_eq!((denial.reason, denial.decision.rule.as_str()), ("policy_denied", "shop#poison"));
    let denial = act(&world, &clerk, "inventory:reserve", "4711").unwrap_err();
    assert_eq!((denial.reason, denial.decision.by.as_str()), ("not_permitted", "default"));
    assert_eq!(act(&world, &clerk, "inventory:unknown", "1").unwrap_err().reason, "policy_error");
    assert!(act(&world, &payments(&world), "inventory:reserve", "4711").is_ok());
}

#[test]
fn a_route_wants_its_requirement_and_its_policies() {
    let mut world = World::new();
    let (clerk, customer) = (person(&world, &["clerk"]), person(&world, &["customer"]));
    let both = json!({"path": "/stock/{sku}", "require": {"roles": ["clerk", "customer"]}, "authorize": {"action": "inventory:restock", "resource": "Stock::\"{sku}\""}});
    let on_bread = routed(&mut world, both.clone(), "/stock/bread");
    assert_eq!(ask(&world, &clerk, &Demand::Route(&on_bread)).unwrap().resource.as_deref(), Some(r#"Stock::"bread""#));
    assert_eq!(ask(&world, &customer, &Demand::Route(&on_bread)).unwrap_err().reason, "not_permitted");
    let on_poison = world.view.routes().find("h", "GET", &NormalPath::parse(b"/stock/poison").unwrap()).unwrap();
    assert_eq!(ask(&world, &clerk, &Demand::Route(&on_poison)).unwrap_err().reason, "policy_denied");
    let stricter = routed(&mut world, with(both, "require", json!({"roles": ["customer"]})), "/stock/bread");
    assert_eq!(ask(&world, &clerk, &Demand::Route(&stricter)).unwrap_err().reason, "role_missing", "a changed route is asked anew");
}

#[test]
fn a_public_route_lets_anyone_through_and_no_other_does() {
    let mut world = World::new();
    let public = routed(&mut world, json!({"path": "/public", "access": "public"}), "/public");
    let decision = decide(&world.view, None, &Demand::Route(&public), here(), ()).unwrap();
    assert_eq!(decision.decision().by, "public");
    let protected = routed(&mut world, json!({"path": "/mine", "require": {"authenticated": true}}), "/mine");
    assert_eq!(decide(&world.view, None, &Demand::Route(&protected), here(), ()).unwrap_err().reason, "no_credential");
    assert_eq!(decide(&world.view, None, &Demand::Public, here(), 7).unwrap().into_inner(), 7);
}

/// POL-005: the path's value is the resource's id, whatever it looks like.
#[test]
fn a_path_value_cannot_become_policy_pol_005() {
    let mut world = World::new();
    let clerk = person(&world, &["clerk"]);
    let route = json!({"path": "/stock/{sku}", "authorize": {"action": "inventory:read", "resource": "Stock::\"{sku}\""}});
    routed(&mut world, route, "/stock/1");
    for (path, resource) in [
        ("/stock/a%22%20%7D%3B%20permit", None),
        ("/stock/a%22%20%7D%20permit", Some(r#"Stock::"a\" } permit""#)),
        ("/stock/Durward::Role::%22clerk%22", Some(r#"Stock::"Durward::Role::\"clerk\"""#)),
        ("/stock/%7Bsku%7D", Some(r#"Stock::"{sku}""#)),
    ] {
        let Ok(path) = NormalPath::parse(path.as_bytes()) else {
            assert_eq!(resource, None);
            continue;
        };
        let routed = world.view.routes().find("h", "GET", &path).unwrap();
        assert_eq!(ask(&world, &clerk, &Demand::Route(&routed)).unwrap().resource.as_deref(), resource, "{}", path.as_str());
    }
}

/// POL-001: an error is a denial. The schema makes it hard to have one; arithmetic still can.
#[test]
fn a_policy_that_fails_denies_pol_001() {
    let mut world = World::new();
    let clerk = person(&world, &["clerk"]);
    assert!(act(&world, &clerk, "inventory:read", "bread").is_ok());
    let overflow = "forbid (principal, action, resource) when { context.time * 9223372036854775807 == 0 };";
    assert_eq!(world.change(resource("main", json!({"kind": "policy", "name": "overflow", "text": overflow}))), []);
    let denial = act(&world, &clerk, "inventory:read", "bread").unwrap_err();
    assert_eq!((denial.reason, denial.decision.rule.as_str()), ("policy_error", "overflow"));
}

/// POL-008: an answer is kept for its own question only, and no longer than the policies that gave it.
#[test]
fn kept_answers_are_never_mixed_up_and_go_with_the_policies_pol_008() {
    let mut world = World::new();
    let (clerk, customer) = (person(&world, &["clerk"]), person(&world, &["customer"]));
    for _ in 0..2 {
        assert!(act(&world, &clerk, "inventory:read", "bread").is_ok());
        assert!(act(&world, &clerk, "inventory:read", "poison").is_err());
        assert!(act(&world, &clerk, "inventory:reserve", "bread").is_err());
        assert!(act(&world, &customer, "inventory:read", "bread").is_err());
    }
    let first = act(&world, &clerk, "inventory:read", "bread").unwrap();
    assert!(Arc::ptr_eq(&first, &act(&world, &clerk, "inventory:read", "bread").unwrap()));
    for (left, right) in [("a\",\"b", "a"), ("a", "a "), ("bread\u{2028}", "bread"), ("1", "01")] {
        let (left, right) = (act(&world, &clerk, "inventory:read", left).unwrap(), act(&world, &clerk, "inventory:read", right).unwrap());
        assert_ne!(left.resource, right.resource);
    }
    world.change(crate::fixture::revocation(durward_model::RevocationKind::Token, "another"));
    assert!(Arc::ptr_eq(&first, &act(&world, &clerk, "inventory:read", "bread").unwrap()), "a revocation is no new policy");
    let closed = "forbid (principal, action, resource);";
    world.change(resource("main", json!({"kind": "policy", "name": "closed", "text": closed})));
    assert_eq!(act(&world, &clerk, "inventory:read", "bread").unwrap_err().reason, "policy_denied");
    for sku in 0..100 {
        assert!(act(&world, &clerk, "inventory:read", &format!("sku-{sku}")).is_err());
    }
}

#[test]
fn an_answer_that_read_the_moment_is_asked_again() {
    let world = World::new();
    let alice = person(&world, &["customer"]);
    let safe = Entity::new("Stock", "safe").unwrap();
    let demand = Demand::Action { action: "inventory:read", resource: &safe };
    let at = |seconds| decide(&world.view, Some(&alice), &demand, Circumstances { now: NOW + Duration::from_secs(seconds), ..here() }, ());
    assert!(at(0).is_ok(), "the login was 30 seconds ago");
    assert_eq!(at(60).unwrap_err().reason, "not_permitted", "and is 90 seconds ago now");
    assert!(at(0).is_ok());
}
