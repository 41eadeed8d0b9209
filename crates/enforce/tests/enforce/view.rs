//! The view: what a change touches, and what stays in force when it cannot be taken.

use std::sync::Arc;

use crate::fixture::{NOW, POLICY, World, resource, resource_version, revocation};
use durward_enforce::{Circumstances, Consumer, Demand, Entity, NormalPath, RouteError, View, decide};
use durward_model::{ClientSecret, Record, ResourceKind, RevocationKind};
use serde_json::{Value, json};

fn policy(text: &str, version: u64) -> Record {
    resource_version("main", json!({"kind": "policy", "name": "shop", "text": text}), version)
}

fn route(name: &str, path: &str, require: Value, version: u64) -> Record {
    let route =
        json!({"kind": "route", "name": name, "path": path, "upstream": "http://127.0.0.1:1", "service": "payments", "require": require});
    resource_version("main", route, version)
}

fn clerk_may_restock(world: &World) -> bool {
    let verified =
        world.cache.verify(&world.view, &Consumer::entrance("main", "payments"), &world.token_with_roles(&["clerk"]), NOW).unwrap();
    let bread = Entity::new("Stock", "bread").unwrap();
    let demand = Demand::Action { action: "inventory:restock", resource: &bread };
    decide(&world.view, Some(&verified), &demand, Circumstances { now: NOW, address: None, known_browser: None }, ()).is_ok()
}

#[test]
fn a_revocation_recompiles_nothing() {
    let mut world = World::new();
    let before = Arc::clone(world.view.realm("main").unwrap());
    let generation = world.view.generation();
    assert_eq!(world.change(revocation(RevocationKind::Family, "x")), []);
    assert!(Arc::ptr_eq(&before, world.view.realm("main").unwrap()));
    assert!(world.view.generation() > generation);
    assert_eq!(world.view.revocations().len(), 1);
}

#[test]
fn a_changed_resource_leaves_its_neighbours_and_the_policies_as_they_were() {
    let mut world = World::new();
    let realm = Arc::clone(world.view.realm("main").unwrap());
    world.change(resource_version("main", json!({"kind": "client", "name": "web", "title": "The shop"}), 2));
    let after = world.view.realm("main").unwrap();
    assert_eq!(after.client("web").unwrap().resource.title.as_deref(), Some("The shop"));
    assert!(Arc::ptr_eq(realm.client("payments-program").unwrap(), after.client("payments-program").unwrap()));
    assert!(Arc::ptr_eq(realm.policies(), after.policies()));
    assert_eq!(realm.policy_version(), after.policy_version());
    world.change(Record::ResourceDeleted { realm: "main".into(), kind: ResourceKind::Client, name: "web".into() });
    assert!(world.view.realm("main").unwrap().client("web").is_none());
}

#[test]
fn the_view_finds_everything_by_name() {
    let mut world = World::new();
    world.change(resource("main", json!({"kind": "group", "name": "staff", "roles": ["clerk"]})));
    let secret = ClientSecret {
        id: durward_base::KeyId::from_bytes([9; 16]),
        realm: "main".into(),
        client: world.view.realm("main").unwrap().client("web").unwrap().client_id(),
        hash: "h".into(),
        created: NOW,
        expires: None,
    };
    world.change(Record::ClientSecret(secret));
    let realm = world.view.realm("main").unwrap();
    assert_eq!((realm.name(), realm.settings().access_token_seconds), ("main", 300));
    assert_eq!(realm.group("staff").unwrap().resource.roles, ["clerk"]);
    assert_eq!(realm.service("payments").unwrap().resource.name, "payments");
    assert_eq!(realm.client_secrets(realm.client("web").unwrap().client_id()).len(), 1);
    assert_eq!(realm.client_secrets(realm.client("payments-program").unwrap().client_id()).len(), 0);
    assert_eq!(realm.roles().iter().count(), 2);
    assert!(world.view.realm("other").unwrap().client("web").is_none(), "nothing of one realm is seen in another");
    assert_eq!(world.view.keys().published("https://auth.example/realms/main").len(), 1);
    assert_eq!(world.view.realms().count(), 2);
}

/// POL-003: refused whole, said with its place, and the last good set stays.
#[test]
fn a_broken_policy_set_leaves_the_last_good_one_in_force_pol_003() {
    let mut world = World::new();
    let version = world.view.realm("main").unwrap().policy_version();
    let broken = [
        ("permit (principal, action, resource", "a syntax error"),
        ("permit (principal, action, resource) when { principal.nothing == 1 };", "a type error"),
        ("permit (principal == ?principal, action, resource);", "a template"),
        ("permit (principal in Durward::Role::\"boss\", action, resource);", "a role nobody declared"),
        (&POLICY[..POLICY.len() / 2], "cut in two"),
    ];
    for ((text, what), number) in broken.iter().zip(2..) {
        let problems = world.change(policy(text, number));
        assert_eq!(problems.len(), 1, "{what}");
        assert_eq!((problems[0].realm.as_str(), problems[0].kind, problems[0].name.as_str()), ("main", Some(ResourceKind::Policy), "shop"));
        let (line, column) = problems[0].place.unwrap();
        assert!(problems[0].to_string().contains(&format!("policy \"shop\", line {line}, column {column}: ")), "{}", problems[0]);
        assert!(clerk_may_restock(&world), "{what}");
        assert_eq!(world.view.realm("main").unwrap().policy_version(), version);
        assert_eq!(world.change(revocation(RevocationKind::Token, what)), problems, "it is said until it is mended");
    }
    assert_eq!(world.change(policy("forbid (principal, action, resource);", 9)), []);
    assert!(!clerk_may_restock(&world));
    assert!(world.view.realm("main").unwrap().policy_version() > version);
}

#[test]
fn a_set_that_never_compiled_allows_nothing() {
    let mut world = World::new();
    let records = world.snapshot.records().collect::<Vec<_>>();
    let mut fresh = durward_feed::Snapshot::new(world.snapshot.position(), records);
    fresh.union(durward_feed::Snapshot::new(world.snapshot.position(), world.snapshot.records().chain([policy("permit (", 2)])));
    let (view, problems) = View::compile(&fresh, None);
    assert_eq!(problems.len(), 1);
    world.view = view;
    assert!(!clerk_may_restock(&world));
}

#[test]
fn a_broken_route_stays_what_it_was_or_is_denied_and_never_uncovers_a_wider_route() {
    let mut world = World::new();
    world.change(route("wide", "/orders", json!({"authenticated": true}), 1));
    world.change(route("narrow", "/orders/admin", json!({"roles": ["clerk"]}), 1));
    let found = |world: &World| {
        let path = NormalPath::parse(b"/orders/admin").unwrap();
        world.view.routes().find("h", "GET", &path).map(|routed| routed.route().name().to_string())
    };
    assert_eq!(found(&world).unwrap(), "narrow");
    let problems = world.change(route("narrow", "/orders/admin", json!({}), 2));
    assert_eq!((problems.len(), problems[0].name.as_str()), (1, "narrow"));
    assert_eq!(found(&world).unwrap(), "narrow");
    let (fresh, problems) = View::compile(&world.snapshot, None);
    assert_eq!(problems.len(), 1);
    let found = |path: &str| {
        let path = NormalPath::parse(path.as_bytes()).unwrap();
        fresh.routes().find("h", "GET", &path).map(|routed| routed.route().name().to_string())
    };
    assert_eq!(found("/orders/admin").unwrap_err(), RouteError::Unusable { route: "narrow".into() }, "nothing was before it");
    assert_eq!(found("/orders/5").unwrap(), "wide", "the others are served");
}

#[test]
fn a_route_that_asks_what_no_policy_can_answer_is_a_problem() {
    let mut world = World::new();
    let asks = |action: &str, resource: &str, version| {
        let authorize = json!({"action": action, "resource": resource});
        let route =
            json!({"kind": "route", "name": "r", "path": "/r", "upstream": "http://h:1", "service": "payments", "authorize": authorize});
        resource_version("main", route, version)
    };
    assert_eq!(world.change(asks("inventory:read", "Stock::\"1\"", 1)), []);
    for (action, resource, says) in [("inventory:eat", "Stock::\"1\"", "no schema declares"), ("inventory:read", "Shelf::\"1\"", "Stock")] {
        let problems = world.change(asks(action, resource, 2));
        assert!(problems[0].message.contains(says), "{problems:?}");
    }
}

#[test]
fn a_key_that_is_not_what_its_record_says_is_a_problem_and_not_used() {
    let mut world = World::new();
    let other = durward_jose::SigningKey::generate(durward_jose::Algorithm::ES256).unwrap();
    let issuer = "https://auth.example/realms/main";
    let good = crate::fixture::key(&other, issuer, durward_model::KeyUse::Token, durward_model::KeyState::Active);
    let wrong = [
        durward_model::Key { kid: "another".into(), ..good.clone() },
        durward_model::Key { algorithm: "RS256".into(), ..good.clone() },
        durward_model::Key { jwk: json!({"kty": "oct", "k": "AA"}), ..good },
    ];
    for key in wrong {
        let kid = key.kid.clone();
        let problems = world.change(Record::Key(key));
        assert!(problems.iter().any(|problem| problem.name == kid && problem.kind.is_none()));
        assert!(world.view.keys().verifying(issuer, &kid, durward_model::KeyUse::Token).is_none());
    }
}

#[test]
fn a_changed_route_leaves_its_neighbours_as_they_were() {
    let mut world = World::new();
    let required = json!({"authenticated": true});
    assert_eq!(world.change(route("one", "/one", required.clone(), 1)), []);
    assert_eq!(world.change(route("two", "/two", required.clone(), 1)), []);
    let routes = |world: &World| -> Vec<_> { world.view.routes().iter().map(Arc::clone).collect() };
    let before = routes(&world);
    assert_eq!(world.change(route("two", "/second", required, 2)), []);
    let after = routes(&world);
    assert!(Arc::ptr_eq(&before[0], &after[0]));
    assert_eq!(after[1].resource().path, "/second");
}

/// What would be wrong is found from what is in force as it is from nothing.
#[test]
fn what_would_be_wrong_does_not_depend_on_what_is_in_force() {
    let mut world = World::new();
    let (required, action) = (json!({"authenticated": true}), json!({"action": "inventory:read", "resource": "'Stock::\"{sku}\"'"}));
    let asking = json!({"kind": "route", "name": "asking", "path": "/stock/{sku}", "upstream": "http://127.0.0.1:1", "service": "payments", "authorize": action});
    let records = [
        route("one", "/one", required.clone(), 1),
        resource_version("main", asking, 1),
        policy("permit (principal, action, resource);", 2),
        policy("permit (principal, action, resource is Nowhere);", 3),
        route("one", "no path", required.clone(), 2),
        route("same", "/stock/{id}", required.clone(), 1),
        resource_version("main", json!({"kind": "schema", "name": "shop", "text": "entity Stock;"}), 2),
        Record::ResourceDeleted { realm: "main".into(), kind: ResourceKind::Role, name: "clerk".into() },
        policy(POLICY, 4),
        route("one", "/stock/{sku}", required, 3),
        Record::ResourceDeleted { realm: "main".into(), kind: ResourceKind::Schema, name: "shop".into() },
    ];
    let mut views = vec![World::new().view];
    let mut found = 0;
    for record in records {
        world.change(record);
        let (_, anew) = View::compile(&world.snapshot, None);
        for view in &views {
            assert_eq!(view.problems_of(&world.snapshot), anew);
        }
        found += anew.len();
        views.push(world.view.clone());
    }
    assert!(found > 8, "{found}");
}
