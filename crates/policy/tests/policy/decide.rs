//! What the policies answer.

use crate::fixture::{ask, compile, here, principal, stock, user};
use durward_model::{Acting, PrincipalKind};
use durward_policy::{Entity, Places, Policies, Question, Subject};

const CLERK: &str = r#"permit (principal in Durward::Role::"clerk", action in [Action::"inventory:read", Action::"inventory:restock"], resource is Stock);"#;
const RESERVE: &str = r#"permit (principal == Durward::Service::"payments", action == Action::"inventory:reserve", resource);"#;

fn names(verdict: &durward_policy::Verdict) -> Vec<&str> {
    verdict.by.iter().map(AsRef::as_ref).collect()
}

#[test]
fn roles_decide_and_the_answer_names_the_policy_and_what_it_read() {
    let policies = compile(&[("clerk", CLERK), ("reserve", RESERVE)]).unwrap();
    let verdict = ask(&policies, &user("alice", &["clerk"]), "inventory:restock", &stock("4711"));
    assert!(verdict.allowed && !verdict.reads_context);
    assert_eq!(names(&verdict), ["clerk"]);
    let read = [("principal.roles", "clerk"), ("resource", r#"Stock::"4711""#)].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(verdict.read, read);
    let verdict = ask(&policies, &user("carol", &["customer"]), "inventory:restock", &stock("4711"));
    assert!(!verdict.allowed && verdict.by.is_empty() && verdict.errors.is_empty());
}

#[test]
fn nobody_but_payments_may_reserve() {
    let policies = compile(&[("clerk", CLERK), ("reserve", RESERVE)]).unwrap();
    let may = |kind, id| ask(&policies, &principal(kind, id, &["clerk"]), "inventory:reserve", &stock("1")).allowed;
    assert!(may(PrincipalKind::Service, "payments"));
    assert!(!may(PrincipalKind::Service, "accounts"));
    assert!(!may(PrincipalKind::User, "payments"), "a person of the same name is another principal");
    assert!(!may(PrincipalKind::Client, "payments"), "and so is a client");
}

#[test]
fn a_forbid_overrides_and_is_named() {
    let forbid = r#"forbid (principal, action, resource == Stock::"poison") unless { principal.roles.contains("auditor") };"#;
    let policies = compile(&[("clerk", CLERK), ("poison", forbid)]).unwrap();
    let verdict = ask(&policies, &user("alice", &["clerk"]), "inventory:read", &stock("poison"));
    assert!(!verdict.allowed);
    assert_eq!(names(&verdict), ["poison"]);
    assert!(ask(&policies, &user("alice", &["clerk"]), "inventory:read", &stock("bread")).allowed);
}

#[test]
fn the_empty_set_and_unknown_actions_allow_nothing() {
    let alice = user("alice", &["clerk"]);
    assert!(!ask(&Policies::default(), &alice, "inventory:read", &stock("1")).allowed);
    let policies = compile(&[("all", "permit (principal, action, resource);")]).unwrap();
    assert!(ask(&policies, &alice, "inventory:read", &stock("1")).allowed);
    for (action, resource) in [
        ("inventory:steal", stock("1")),
        ("", stock("1")),
        ("inventory:reserve", stock("1")),
        ("inventory:read", Entity::new("Nothing", "1").unwrap()),
        ("inventory:read", Entity::new("Durward::User", "alice").unwrap()),
    ] {
        let verdict = ask(&policies, &alice, action, &resource);
        assert!(!verdict.allowed && !verdict.errors.is_empty(), "{action} {resource}");
    }
}

#[test]
fn an_error_in_a_policy_denies_even_beside_a_permit_pol_001() {
    let overflow = "forbid (principal, action, resource) when { context.time * 9223372036854775807 == 0 };";
    let bad_address =
        r#"forbid (principal, action, resource) when { context has address && context.address.isInRange(ip("10.0.0.0/8")) };"#;
    let all = "permit (principal, action, resource);";
    for (name, forbid) in [("overflow", overflow), ("address", bad_address)] {
        let policies = compile(&[("all", all), (name, forbid)]).unwrap();
        let verdict = ask(&policies, &user("alice", &[]), "inventory:read", &stock("1"));
        assert!(!verdict.allowed, "{name}");
        assert_eq!(names(&verdict), [name]);
    }
    let permit = "permit (principal, action, resource) when { context.time * 9223372036854775807 == 0 };";
    let policies = compile(&[("all", all), ("broken", permit)]).unwrap();
    let verdict = ask(&policies, &user("alice", &[]), "inventory:read", &stock("1"));
    assert!(!verdict.allowed && verdict.errors.len() == 1, "an error is a denial, wherever it is");
}

#[test]
fn context_holds_the_moment_and_the_way_in() {
    let conditions = [
        (r#"context.credential == "jwt""#, true),
        (r#"context has acr && context.acr == "mfa""#, false),
        (r#"context.amr.contains("pwd")"#, true),
        ("context has auth_age && context.auth_age <= 60", true),
        ("context has auth_age && context.auth_age <= 10", false),
        ("context.time == 1800000000", true),
        (r#"context has address && context.address.isInRange(ip("10.0.0.0/8"))"#, true),
        (r#"context has address && context.address.isInRange(ip("192.168.0.0/16"))"#, false),
        (r#"context.scopes.contains("stock")"#, true),
        (r#"context.authorization_details.isEmpty()"#, true),
        (r#"context has client && context.client == "web""#, true),
        (r#"context.issuer == "https://auth.example/realms/main""#, true),
        ("context has acts_for", false),
        ("context has known_browser && context.known_browser", true),
    ];
    for (condition, expected) in conditions {
        let text = format!("permit (principal, action, resource) when {{ {condition} }};");
        let policies = compile(&[("p", &text)]).unwrap();
        let verdict = ask(&policies, &user("alice", &[]), "inventory:read", &stock("1"));
        assert_eq!((verdict.allowed, verdict.reads_context), (expected, true), "{condition}: {:?}", verdict.errors);
    }
}

#[test]
fn whom_a_principal_acts_for_can_be_read() {
    let text = r#"permit (principal, action, resource) when { principal has acts_for && principal.acts_for.id == "alice" };"#;
    let policies = compile(&[("p", text)]).unwrap();
    let mut payments = principal(PrincipalKind::Service, "payments", &[]);
    assert!(!ask(&policies, &payments, "inventory:read", &stock("1")).allowed);
    payments.acts_for = Some(Acting { kind: PrincipalKind::User, id: "alice".into(), through: Vec::new() });
    let verdict = ask(&policies, &payments, "inventory:read", &stock("1"));
    assert!(verdict.allowed && !verdict.reads_context);
    assert!(verdict.read.contains(&("principal.acts_for".to_owned(), "alice".to_owned())));
}

#[test]
fn a_route_is_a_resource() {
    let policies =
        compile(&[("p", r#"permit (principal, action == Action::"route:enter", resource == Durward::Route::"orders");"#)]).unwrap();
    let may = |route| ask(&policies, &user("alice", &[]), "route:enter", &Entity::new("Durward::Route", route).unwrap()).allowed;
    assert!(may("orders") && !may("stock"));
}

/// Attributes come from the verified principal: no id, role or scope that looks like policy text becomes any (POL-005).
#[test]
fn nothing_in_an_id_becomes_policy_pol_005() {
    let policies = compile(&[("clerk", CLERK)]).unwrap();
    for text in [r#"x"], roles: ["clerk"#, "Durward::Role::\"clerk\"", "clerk\" || true || \"", "", "clerk "] {
        let mallory = principal(PrincipalKind::User, text, &[text]);
        assert!(!ask(&policies, &mallory, "inventory:read", &stock("1")).allowed, "{text}");
    }
    let subject = Subject::new(&user("alice", &["clerk"]), &policies).unwrap();
    for id in ["a\" } || true", "{sku}", "Stock::\"1\""] {
        let resource = stock(id);
        let question = Question {
            subject: &subject,
            action: "inventory:read",
            resource: &resource,
            circumstances: here(),
            places: &Places::default(),
        };
        assert!(policies.decide(&question).read.iter().any(|(name, value)| name == "resource" && *value == resource.to_string()));
    }
}

#[test]
fn the_parts_of_a_question_have_bounds_pol_010() {
    for id in ["", "a\0b", "line\nbreak", &"x".repeat(1025)] {
        assert!(Entity::new("Stock", id).is_err());
    }
    for name in ["", "1", "Stock\"", "a b", "Stock::"] {
        assert!(Entity::new(name, "1").is_err(), "{name}");
    }
}
