//! The index changes what is evaluated and never what is answered: against Cedar itself over the whole set.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use crate::fixture::{ask, compile, principal};
use cedar_policy::{Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression};
use durward_model::{Principal, PrincipalKind};
use proptest::prelude::*;

const PRINCIPALS: [&str; 8] = [
    "principal",
    "principal == Durward::User::\"a\"",
    "principal == Durward::Service::\"a\"",
    "principal in Durward::User::\"b\"",
    "principal in Durward::Role::\"clerk\"",
    "principal in Durward::Role::\"customer\"",
    "principal is Durward::Service",
    "principal is Durward::User in Durward::Role::\"clerk\"",
];
const ACTIONS: [&str; 4] = [
    "action",
    "action == Action::\"inventory:read\"",
    "action in [Action::\"inventory:read\", Action::\"inventory:restock\"]",
    "action == Action::\"inventory:restock\"",
];
const RESOURCES: [&str; 5] =
    ["resource", "resource == Stock::\"1\"", "resource in Stock::\"2\"", "resource is Order", "resource is Stock in Stock::\"1\""];
const CONDITIONS: [&str; 5] = [
    "",
    "when { principal.scopes.contains(\"stock\") }",
    "when { principal.roles.contains(\"clerk\") }",
    "unless { principal has client && principal.client == \"web\" }",
    "when { resource has owner }",
];

fn policy() -> impl Strategy<Value = String> {
    (any::<bool>(), 0..PRINCIPALS.len(), 0..ACTIONS.len(), 0..RESOURCES.len(), 0..CONDITIONS.len()).prop_filter_map(
        "a condition on what only an order has",
        |(permit, who, what, on, when)| {
            let effect = if permit { "permit" } else { "forbid" };
            let on_order = on == 0 || on == 3;
            (when != 4 || on_order)
                .then(|| format!("{effect} ({}, {}, {}) {};", PRINCIPALS[who], ACTIONS[what], RESOURCES[on], CONDITIONS[when]))
        },
    )
}

fn somebody() -> impl Strategy<Value = Principal> {
    let kinds = prop::sample::select(vec![PrincipalKind::User, PrincipalKind::Service, PrincipalKind::Client]);
    let roles = prop::sample::subsequence(vec!["auditor", "clerk", "customer"], 0..=3);
    (kinds, prop::sample::select(vec!["a", "b"]), roles).prop_map(|(kind, id, roles)| principal(kind, id, &roles))
}

/// The plain way: every policy, every entity, Cedar's own authorizer.
fn plain(policies: &str, who: &Principal, action: &str, resource: &str) -> bool {
    let kind = match who.kind {
        PrincipalKind::User => "User",
        PrincipalKind::Service => "Service",
        PrincipalKind::Client => "Client",
    };
    let uid = EntityUid::from_str(&format!("Durward::{kind}::\"{}\"", who.id)).unwrap();
    let roles: HashSet<_> = who.roles.iter().map(|role| EntityUid::from_str(&format!("Durward::Role::\"{role}\"")).unwrap()).collect();
    let texts = |texts: &[String]| RestrictedExpression::new_set(texts.iter().cloned().map(RestrictedExpression::new_string));
    let attributes = HashMap::from([
        ("id".to_owned(), RestrictedExpression::new_string(who.id.clone())),
        ("roles".to_owned(), texts(&who.roles)),
        ("scopes".to_owned(), texts(&who.scopes)),
        ("client".to_owned(), RestrictedExpression::new_string("web".to_owned())),
    ]);
    let entity = Entity::new(uid.clone(), attributes, roles).unwrap();
    let entities = Entities::from_entities([entity], None).unwrap();
    let action = EntityUid::from_str(&format!("Action::\"{action}\"")).unwrap();
    let request = Request::new(uid, action, EntityUid::from_str(resource).unwrap(), Context::empty(), None).unwrap();
    let response = Authorizer::new().is_authorized(&request, &PolicySet::from_str(policies).unwrap(), &entities);
    response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_index_answers_as_cedar_does_over_the_whole_set(
        policies in prop::collection::vec(policy(), 0..24),
        who in somebody(),
        action in prop::sample::select(vec!["inventory:read", "inventory:restock"]),
        (kind, id) in (prop::sample::select(vec!["Stock", "Order"]), prop::sample::select(vec!["1", "2", "3"])),
    ) {
        let text = policies.join("\n");
        let compiled = compile(&[("all", &text)]).unwrap();
        let resource = durward_policy::Entity::new(kind, id).unwrap();
        let verdict = ask(&compiled, &who, action, &resource);
        prop_assert_eq!(verdict.allowed, plain(&text, &who, action, &resource.to_string()), "{}\n{:?}", text, verdict);
    }
}
