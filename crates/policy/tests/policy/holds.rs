//! An answer that still holds is the answer that Cedar itself gives now: over the whole set, with everything of the moment.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;

use cedar_policy::{Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression};
use durward_base::Duration;
use durward_model::Principal;
use durward_policy::{Circumstances, Holds, Places, Policies, Question, Subject, Verdict};
use proptest::prelude::*;

use crate::fixture::{NOW, compile, here, stock, user};
use crate::places::{bern, file};

/// What may be compared with a constant, what else may be done with it, and what is read besides.
fn atom() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let around = prop_oneof![-4_i64..=4, -4000_i64..4000];
    let comparison = (any::<bool>(), any::<bool>(), operator, around).prop_map(|(age, turned, operator, around)| {
        let (attribute, constant) = if age { ("auth_age", 30 + around) } else { ("time", NOW.seconds() + around) };
        let sides = [format!("context.{attribute}"), constant.to_string()];
        let comparison = if turned { [&sides[1], operator, &sides[0]].join(" ") } else { [&sides[0], operator, &sides[1]].join(" ") };
        format!("(context has {attribute} && {comparison})")
    });
    let other = (prop::sample::select(OTHERS.to_vec()), -4_i64..=4)
        .prop_map(|(other, around)| format!("({})", other.replace("NOW", &(NOW.seconds() + around).to_string())));
    prop_oneof![3 => comparison, 2 => other]
}

const OTHERS: [&str; 20] = [
    "context.time + 1 > NOW",
    "NOW == context.time * 1",
    "context.time * 9223372036854775807 == 0",
    "[context.time].contains(NOW)",
    "{Value: context.time}.Value >= NOW",
    "{Var: context.time, left: 1}.Var < NOW",
    "if context.time > NOW then context has address else context has client",
    "context has auth_age && context.auth_age > context.time - NOW",
    "context has auth_age && context.auth_age * 9223372036854775807 == 0",
    "context has auth_age",
    "context[\"time\"] >= NOW",
    "context has address && context.address.isInRange(ip(\"10.0.0.0/8\"))",
    "context has address && context.address == ip(\"10.1.2.3\")",
    "context has country && context.country == \"CH\"",
    "context has city",
    "context has known_browser && context.known_browser",
    "context has acr && context.acr == \"pwd\"",
    "context.credential == \"jwt\"",
    "principal.scopes.contains(\"stock\")",
    "context has scope",
];

fn condition() -> impl Strategy<Value = String> {
    atom().prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} && {right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} || {right})")),
            inner.prop_map(|inner| format!("(!{inner})")),
        ]
    })
}

fn policy() -> impl Strategy<Value = String> {
    let scopes = [
        "principal, action, resource",
        "principal is Durward::User, action, resource == Stock::\"1\"",
        "principal, action, resource is Order",
    ];
    (prop::bool::weighted(0.7), prop::sample::select(scopes.to_vec()), condition())
        .prop_map(|(permit, scope, condition)| format!("{} ({scope}) when {{ {condition} }};\n", if permit { "permit" } else { "forbid" }))
}

/// When and from where, and whether the file about addresses was replaced by another.
fn moment() -> impl Strategy<Value = (Circumstances, bool)> {
    let ahead = prop_oneof![Just(0_i64), -5000_i64..5000, -5_000_000_i64..5_000_000];
    let address = prop::sample::select(vec![Some("10.1.2.3"), Some("10.9.9.9"), Some("192.0.2.1"), None]);
    let known_browser = prop::sample::select(vec![None, Some(false), Some(true)]);
    let usual = prop::bool::weighted(0.6);
    (ahead, usual, address, known_browser, prop::bool::weighted(0.2)).prop_map(|(ahead, usual, address, known_browser, moved)| {
        let by = Duration::from_millis(ahead.unsigned_abs());
        let now = if ahead < 0 { NOW - by } else { NOW + by };
        let from =
            if usual { here() } else { Circumstances { address: address.map(|text| text.parse().unwrap()), known_browser, ..here() } };
        (Circumstances { now, ..from }, moved && !usual)
    })
}

fn placed(file: &[u8]) -> Places {
    let places = Places::default();
    places.replace(file.to_vec()).unwrap();
    places
}

/// The plain way: every policy, the whole context, Cedar's own authorizer.
fn plain(policies: &str, who: &Principal, circumstances: Circumstances, abroad: bool) -> bool {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let texts = |texts: &[String]| RestrictedExpression::new_set(texts.iter().map(|item| text(item)));
    let is_placed = circumstances.address.is_some_and(|address| address.to_string().starts_with("10.")) && !abroad;
    let pairs = [
        ("credential", Some(text("jwt"))),
        ("issuer", Some(text(&who.credential.issuer))),
        ("client", Some(text("web"))),
        ("scopes", Some(texts(&who.scopes))),
        ("authorization_details", Some(texts(&[]))),
        ("acr", Some(text("pwd"))),
        ("amr", Some(texts(&who.assurance.amr))),
        ("auth_age", who.assurance.auth_time.map(|time| long(circumstances.now.since(time).as_secs()))),
        ("time", Some(RestrictedExpression::new_long(circumstances.now.seconds()))),
        ("address", circumstances.address.map(|address| RestrictedExpression::new_ip(address.to_string()))),
        ("known_browser", circumstances.known_browser.map(RestrictedExpression::new_bool)),
        ("country", is_placed.then(|| text("CH"))),
        ("city", is_placed.then(|| text("Bern"))),
    ];
    let context = Context::from_pairs(pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)))).unwrap();
    let uid = |text: &str| EntityUid::from_str(text).unwrap();
    let attributes = HashMap::from([("scopes".to_owned(), texts(&who.scopes))]);
    let entity = Entity::new(uid("Durward::User::\"alice\""), attributes, HashSet::new()).unwrap();
    let request = Request::new(entity.uid(), uid("Action::\"inventory:read\""), uid("Stock::\"1\""), context, None).unwrap();
    let entities = Entities::from_entities([entity], None).unwrap();
    let response = Authorizer::new().is_authorized(&request, &PolicySet::from_str(policies).unwrap(), &entities);
    response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none()
}

fn long(seconds: u64) -> RestrictedExpression {
    RestrictedExpression::new_long(i64::try_from(seconds).unwrap())
}

fn decide(policies: &Policies, subject: &Subject, circumstances: Circumstances, places: &Places) -> Verdict {
    policies.decide(&Question { subject, action: "inventory:read", resource: &stock("1"), circumstances, places })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn an_answer_that_holds_is_what_cedar_answers_now_pol_008(
        policies in prop::collection::vec(policy(), 1..4),
        moments in prop::collection::vec(moment(), 2..12),
        logged_in in any::<bool>(),
    ) {
        let text = policies.concat();
        let compiled = compile(&[("all", &text)]).unwrap();
        let mut alice = user("alice", &[]);
        alice.assurance.auth_time = alice.assurance.auth_time.filter(|_| logged_in);
        let subject = Subject::new(&alice, &compiled).unwrap();
        let (home, abroad) = (placed(&file(&bern())), Places::default());
        let mut kept: Vec<(Holds, Verdict)> = Vec::new();
        for (circumstances, moved) in moments {
            let places = if moved { &abroad } else { &home };
            let now = decide(&compiled, &subject, circumstances, places);
            prop_assert_eq!(now.allowed, plain(&text, &alice, circumstances, moved), "{}\n{:?}", text, now);
            let resource = stock("1");
            let question = Question { subject: &subject, action: "inventory:read", resource: &resource, circumstances, places };
            for (holds, then) in kept.iter().filter(|(holds, _)| holds.at(&question)) {
                let mut then = then.clone();
                question.clock().show_in(&mut then.read);
                then.holds.clone_from(&now.holds);
                prop_assert_eq!(&then, &now, "{}\n{:?}", text, holds);
            }
            let holds = now.holds.clone();
            prop_assert!(holds.iter().all(|holds| holds.at(&question)), "an answer holds when it is given");
            kept.extend(holds.map(|holds| (holds, now)));
        }
    }
}

/// How long an answer holds, in seconds before and after: none where it is good once only.
fn held(condition: &str) -> Option<(u64, u64)> {
    const FAR: u64 = 100_000;
    let policies = compile(&[("p", &format!("permit (principal, action, resource) when {{ {condition} }};"))]).unwrap();
    let subject = Subject::new(&user("alice", &[]), &policies).unwrap();
    let holds = decide(&policies, &subject, here(), &Places::default()).holds?;
    let at = |now| {
        let circumstances = Circumstances { now, ..here() };
        let resource = stock("1");
        holds.at(&Question { subject: &subject, action: "inventory:read", resource: &resource, circumstances, places: &Places::default() })
    };
    let after = (0..FAR).take_while(|second| at(NOW + Duration::from_secs(*second))).count();
    let before = (0..FAR).take_while(|second| at(NOW - Duration::from_secs(*second))).count();
    Some((before.try_into().unwrap(), after.try_into().unwrap()))
}

#[test]
fn an_answer_holds_until_a_comparison_could_change() {
    let now = NOW.seconds();
    let cases = [
        ("context.credential == \"jwt\"".to_owned(), Some((100_000, 100_000))),
        ("context.time > 0".to_owned(), Some((100_000, 100_000))),
        ("context has auth_age".to_owned(), Some((100_000, 100_000))),
        (format!("context.time < {}", now + 60), Some((100_000, 60))),
        (format!("{} <= context.time", now - 60), Some((60, 100_000))),
        (format!("context.time >= {} && context.time <= {}", now - 10, now + 10), Some((10, 10))),
        (format!("context.time == {now}"), Some((1, 1))),
        ("context has auth_age && context.auth_age < 60".to_owned(), Some((100_000, 30))),
        ("context has auth_age && context.auth_age >= 60 || context.time > 0".to_owned(), Some((100_000, 30))),
        ("context.time + 0 > 0".to_owned(), None),
        ("[context.time].contains(0)".to_owned(), None),
        ("{Value: context.time}.Value > 0".to_owned(), None),
        ("context has auth_age && context.auth_age < context.time".to_owned(), None),
    ];
    for (condition, expected) in cases {
        assert_eq!(held(&condition), expected, "{condition}");
    }
}

#[test]
fn an_answer_holds_for_the_address_and_the_file_about_it() {
    let policies = compile(&[("p", "permit (principal, action, resource) when { context has country };")]).unwrap();
    let subject = Subject::new(&user("alice", &[]), &policies).unwrap();
    let places = placed(&file(&bern()));
    let holds = decide(&policies, &subject, here(), &places).holds.unwrap();
    let resource = stock("1");
    let asked = |circumstances, places: &Places| {
        holds.at(&Question { subject: &subject, action: "inventory:read", resource: &resource, circumstances, places })
    };
    assert!(asked(here(), &places));
    assert!(!asked(Circumstances { address: Some("10.1.2.4".parse().unwrap()), ..here() }, &places));
    assert!(!asked(Circumstances { address: None, ..here() }, &places));
    assert!(!asked(here(), &placed(&file(&bern()))), "other places");
    places.replace(file(&bern())).unwrap();
    assert!(!asked(here(), &places), "the file was replaced");
}
