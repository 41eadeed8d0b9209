//! Taking over what did not change makes the set that compiling everything would make, or fails as it would.

use std::collections::HashSet;

use durward_policy::{Document, Policies, PolicyError};

use crate::fixture::{SHOP, ask, principal, stock, user};
use durward_model::PrincipalKind;

const ALL: &str = "permit (principal, action, resource);";
const CLERK: &str = "permit (principal in Durward::Role::\"clerk\", action, resource);";
const NIGHT: &str = "forbid (principal, action, resource) when { context.time > 0 };";
const POISON: &str = "forbid (principal, action, resource == Stock::\"poison\");";
const TWO: &str =
    "@id(\"a\") forbid (principal is Durward::Service, action, resource);\npermit (principal == Durward::User::\"bob\", action, resource);";
const WRONG: &str = "permit (principal, action, resource is Nowhere);";
const WITHOUT_STOCK: &str = "entity Order;\naction \"inventory:read\" appliesTo { principal: [Durward::User], resource: [Order] };";

type Texts = &'static [(&'static str, &'static str)];

/// Policies, schemas and roles, one after the other: added, changed, taken away, in another order, under another name, wrong and right again.
const STATES: [(Texts, Texts, &[&str]); 13] = [
    (&[], &[("shop", SHOP)], &[]),
    (&[("all", ALL)], &[("shop", SHOP)], &[]),
    (&[("all", ALL), ("two", TWO)], &[("shop", SHOP)], &[]),
    (&[("two", TWO), ("clerk", CLERK)], &[("shop", SHOP)], &["clerk"]),
    (&[("clerk", CLERK), ("poison", POISON), ("two", TWO)], &[("shop", SHOP)], &["clerk"]),
    (&[("clerk", CLERK), ("poison", POISON), ("two", WRONG)], &[("shop", SHOP)], &["clerk"]),
    (&[("clerk", ALL), ("poison", NIGHT), ("two", POISON)], &[("shop", SHOP)], &["clerk"]),
    (&[("clerk", CLERK), ("poison", POISON)], &[("shop", SHOP)], &[]),
    (&[("clerk", CLERK), ("poison", POISON)], &[("shop", WITHOUT_STOCK)], &["clerk"]),
    (&[("clerk", CLERK), ("poison", POISON)], &[("store", SHOP)], &["clerk"]),
    (&[("clerk", CLERK), ("night", NIGHT)], &[("shop", SHOP), ("wrong", "entity")], &["clerk"]),
    (&[("night", NIGHT), ("clerk", CLERK)], &[("shop", SHOP)], &["clerk"]),
    (&[("clerk", CLERK)], &[], &["clerk"]),
];

fn documents(texts: Texts) -> Vec<Document<'static>> {
    texts.iter().map(|(name, text)| Document { name, text }).collect()
}

fn changed(from: &Policies, (policies, schemas, roles): (Texts, Texts, &[&'static str])) -> Result<Policies, PolicyError> {
    from.changed(&documents(policies), &documents(schemas), &HashSet::from_iter(roles.iter().copied()))
}

#[test]
fn a_changed_set_answers_and_fails_as_one_compiled_anew_pol_011() {
    let who = [user("alice", &["clerk"]), user("bob", &[]), principal(PrincipalKind::Service, "payments", &["clerk"])];
    let anew = STATES.map(|state| changed(&Policies::default(), state));
    for before in anew.iter().flatten() {
        for (state, anew) in STATES.into_iter().zip(&anew) {
            let taken_over = changed(before, state);
            assert_eq!(taken_over.as_ref().err(), anew.as_ref().err());
            let (Ok(taken_over), Ok(anew)) = (taken_over, anew) else { continue };
            for principal in &who {
                for (action, sku) in [("inventory:read", "bread"), ("inventory:read", "poison"), ("inventory:reserve", "bread")] {
                    let answers = [&taken_over, anew].map(|policies| ask(policies, principal, action, &stock(sku)));
                    assert_eq!(answers[0], answers[1], "{action} {sku} {}", principal.id);
                }
            }
        }
    }
}
