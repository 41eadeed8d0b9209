//! Plans: what differs, what is done about it, and what is refused as a whole.

use durward_model::ResourceKind;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{OWN, SECRET, World, shop, shop_with};

#[tokio::test]
async fn applying_twice_changes_nothing_the_second_time() {
    let world = World::empty().await;
    let first = world.post("apply", &shop()).await;
    assert_eq!(first.body["create"].as_array().unwrap().len(), 12, "{}", first.body);
    assert_eq!(first.body["applied"], true);
    assert_eq!(first.event.target.as_deref(), Some("12 resources"));
    let head = world.store.head().await.unwrap();
    let second = world.post("apply", &shop()).await;
    assert_eq!(second.body, json!({"create": [], "update": [], "delete": [], "unchanged": 12, "applied": false}));
    assert_eq!(world.store.head().await.unwrap(), head);
}

#[tokio::test]
async fn only_what_differs_is_changed_and_every_field_that_does_is_named() {
    let world = World::with_shop().await;
    let other = shop_with(&[("client", "web", json!({"title": "The Shop", "scopes": ["openid", "order"]})), ("role", "baker", json!({}))]);
    let plan = world.post("apply", &other).await.body;
    assert_eq!(plan["create"], json!([{"kind": "role", "name": "baker"}]));
    assert_eq!(
        plan["update"],
        json!([{"kind": "client", "name": "web", "fields": [
            {"field": "title", "from": null, "to": "The Shop"},
            {"field": "scopes", "from": ["openid", "order", "look"], "to": ["openid", "order"]},
        ]}])
    );
    assert_eq!(plan["unchanged"], 11);
    let stored = world.get("clients/web").await.body;
    assert_eq!((&stored["version"], &stored["resource"]["title"]), (&json!(2), &json!("The Shop")));
    assert_eq!(world.get("clients/payments-program").await.body["version"], 1);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let world = World::empty().await;
    let head = world.store.head().await.unwrap();
    let mut asked = shop();
    asked["dry_run"] = json!(true);
    let answer = world.post("apply", &asked).await;
    assert_eq!(answer.body["create"].as_array().unwrap().len(), 12);
    assert_eq!(answer.body["applied"], false);
    assert_eq!(world.store.head().await.unwrap(), head);
    assert!(world.store.person_by_username("main", "alice").await.unwrap().is_none());
    asked["resources"][0]["kind"] = json!("client");
    assert_eq!(world.post("apply", &asked).await.status, StatusCode::UNPROCESSABLE_ENTITY, "it is validated all the same");
}

#[tokio::test]
async fn what_is_not_named_stays_unless_pruning_is_asked_for() {
    let world = World::with_shop().await;
    let mut fewer = shop_with(&[
        ("route", "stock", Value::Null),
        ("client", "web", Value::Null),
        ("person", "bob", Value::Null),
        ("group", "staff", Value::Null),
    ]);
    assert_eq!(world.post("apply", &fewer).await.body["delete"], json!([]));
    fewer["prune"] = json!(true);
    let plan = world.post("apply", &fewer).await.body;
    let gone: Vec<_> = plan["delete"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| format!("{}/{}", item["kind"].as_str().unwrap(), item["name"].as_str().unwrap()))
        .collect();
    assert_eq!(gone, ["person/bob", "route/stock", "client/web", "group/staff"], "those that refer to others first");
    assert_eq!(world.get("people/bob").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("realms/main").await.status, StatusCode::OK);
}

#[tokio::test]
async fn pruning_deletes_people_only_where_people_are_declared() {
    let world = World::with_shop().await;
    let mut nobody = shop_with(&[("person", "alice", Value::Null), ("person", "bob", Value::Null)]);
    nobody["prune"] = json!(true);
    nobody["passwords"] = json!({});
    let plan = world.post("apply", &nobody).await.body;
    assert_eq!(plan["delete"], json!([]), "{plan}");
    assert_eq!(world.get("people/bob").await.status, StatusCode::OK);
}

/// R14: the whole of what it leads to is validated, and nothing is written when anything is wrong.
#[tokio::test]
async fn a_name_that_stands_for_nothing_is_refused_with_the_nearest_that_does() {
    let world = World::with_shop().await;
    let head = world.store.head().await.unwrap();
    for (kind, name, change, field, found, message) in [
        (
            "client",
            "web",
            json!({"services": ["shop", "inventori"]}),
            "services[1]",
            Some("inventori"),
            "the service \"inventori\" is not declared (did you mean \"inventory\"?)",
        ),
        (
            "client",
            "payments-program",
            json!({"roles": ["clark"]}),
            "roles[0]",
            Some("clark"),
            "the role \"clark\" is not declared (did you mean \"clerk\"?)",
        ),
        (
            "client",
            "payments-program",
            json!({"runs": "invenory"}),
            "runs",
            Some("invenory"),
            "the service \"invenory\" is not declared (did you mean \"inventory\"?)",
        ),
        (
            "client",
            "web",
            json!({"scopes": ["openid", "ordre"]}),
            "scopes[1]",
            Some("ordre"),
            "the scope of its services \"ordre\" is not declared (expected one of email, look, offline_access, openid, order, profile)",
        ),
        (
            "group",
            "staff",
            json!({"roles": ["clerks"]}),
            "roles[0]",
            Some("clerks"),
            "the role \"clerks\" is not declared (did you mean \"clerk\"?)",
        ),
        (
            "person",
            "alice",
            json!({"roles": ["customers"]}),
            "roles[0]",
            Some("customers"),
            "the role \"customers\" is not declared (did you mean \"customer\"?)",
        ),
        (
            "person",
            "alice",
            json!({"groups": ["stuff"]}),
            "groups[0]",
            Some("stuff"),
            "the group \"stuff\" is not declared (did you mean \"staff\"?)",
        ),
        (
            "route",
            "stock",
            json!({"service": "payments"}),
            "service",
            Some("payments"),
            "the service \"payments\" is not declared (expected one of inventory, shop)",
        ),
        (
            "route",
            "stock",
            json!({"audience": "ship"}),
            "audience",
            Some("ship"),
            "the service \"ship\" is not declared (did you mean \"shop\"?)",
        ),
        (
            "route",
            "stock",
            json!({"require": {"roles": ["clrk"]}}),
            "require.roles[0]",
            Some("clrk"),
            "the role \"clrk\" is not declared (did you mean \"clerk\"?)",
        ),
        (
            "route",
            "stock",
            json!({"require": {"callers": ["payment-program"]}}),
            "require.callers[0]",
            Some("payment-program"),
            "the service or client \"payment-program\" is not declared (did you mean \"payments-program\"?)",
        ),
        (
            "route",
            "stock",
            json!({"authorize": {"action": "inventory:reed"}}),
            "",
            None,
            "no schema declares the action \"inventory:reed\"",
        ),
    ] {
        let answer = world.post("apply", &shop_with(&[(kind, name, change), ("role", "new", json!({}))])).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{kind} {name}");
        let fault = &answer.body["faults"][0];
        let said = (&fault["kind"], &fault["name"], &fault["field"], fault["found"].as_str(), fault["message"].as_str().unwrap());
        assert_eq!(said, (&json!(kind), &json!(name), &json!(field), found, message), "{}", answer.body);
        assert_eq!(answer.body["faults"].as_array().unwrap().len(), 1, "{}", answer.body);
    }
    assert_eq!(world.store.head().await.unwrap(), head);
}

#[tokio::test]
async fn resources_that_break_their_own_rules_are_refused() {
    let world = World::with_shop().await;
    for (kind, name, change, field) in [
        ("client", "web", json!({"redirect_uris": ["http://shop.example/callback"]}), "redirect_uris[0]"),
        ("client", "web", json!({"grants": ["client_credentials"]}), "grants"),
        ("client", "inventory", json!({}), "name"),
        ("client", "durward-cli", json!({}), "name"),
        ("service", "urn:durward:admin", json!({}), "name"),
        ("role", "durward-admin", json!({}), "name"),
        ("role", "durward-anything", json!({}), "name"),
        ("role", "two words", json!({}), "name"),
        ("realm", "main", json!({"access_token_seconds": 5}), "access_token_seconds"),
        ("person", "Alice", json!({}), "name"),
        ("person", "alice", json!({"email": "nowhere"}), "email"),
        ("person", "alice", json!({"display_name": "a\nb"}), "display_name"),
        ("route", "open", json!({"path": "/open", "upstream": "http://127.0.0.1:1", "service": "shop"}), ""),
        ("policy", "broken", json!({"text": "permit (principal, action, resource"}), "text"),
        ("policy", "wide", json!({"text": "permit (principal, action, resource) when { principal.nonsense };"}), "text"),
        ("schema", "broken", json!({"text": "entity ;"}), "text"),
    ] {
        let answer = world.post("apply", &shop_with(&[(kind, name, change)])).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{kind} {name}: {}", answer.body);
        let faults = answer.body["faults"].as_array().unwrap();
        assert!(
            faults.iter().any(|fault| fault["kind"] == kind && fault["name"] == name && fault["field"] == field),
            "{kind} {name}: {faults:?}"
        );
    }
}

/// POL-003
#[tokio::test]
async fn a_policy_that_is_wrong_is_refused_with_line_and_column() {
    let world = World::with_shop().await;
    let text = "// stock\npermit (principal in Durward::Role::\"clark\", action == Action::\"inventory:read\", resource is Stock);\n";
    let answer = world.post("apply", &shop_with(&[("policy", "stock", json!({"text": text}))])).await;
    assert_eq!(answer.body["faults"][0]["place"], json!([2, 22]), "{}", answer.body);
    assert!(world.get("status").await.body["problems"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn what_others_still_name_cannot_be_deleted() {
    let world = World::with_shop().await;
    for (path, kind, name, field) in [
        ("roles/clerk", "group", "staff", "roles[0]"),
        ("roles/customer", "person", "alice", "roles[0]"),
        ("groups/staff", "person", "bob", "groups[0]"),
        ("services/inventory", "route", "stock", "service"),
        ("schemas/stock", "policy", "stock", "text"),
    ] {
        let answer = world.call(OWN, Method::DELETE, path, None).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        let faults = answer.body["faults"].as_array().unwrap();
        assert!(faults.iter().any(|fault| fault["kind"] == kind && fault["name"] == name && fault["field"] == field), "{path}: {faults:?}");
    }
    assert_eq!(world.call(OWN, Method::DELETE, "routes/stock", None).await.status, StatusCode::OK);
    assert_eq!(world.call(OWN, Method::DELETE, "routes/stock", None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_change_elsewhere_is_not_held_up_by_what_was_wrong_before() {
    let world = World::with_shop().await;
    let id = durward_base::ResourceId::new(crate::fixture::NOW, &world.rng);
    let text = "permit (principal, action, resource".to_owned();
    let resource = durward_model::Resource::Policy(durward_model::resource::Policy { name: "old".to_owned(), text });
    let stored = durward_model::Stored { id, realm: "main".to_owned(), version: 1, resource };
    let event = durward_model::Event::new(
        durward_base::EventId::new(crate::fixture::NOW, &world.rng),
        crate::fixture::NOW,
        "test".into(),
        durward_model::EventKind::ResourceChanged,
    );
    world.store.commit(&[durward_model::Write::PutResource { stored: Box::new(stored), expected: None }], event).await.unwrap();
    assert_eq!(world.call(OWN, Method::PUT, "roles/baker", Some(&json!({"name": "baker"}))).await.status, StatusCode::OK);
    assert_eq!(world.call(OWN, Method::DELETE, "policies/old", None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn secrets_are_accepted_as_declared_and_never_given_back() {
    let world = World::with_shop().await;
    let secrets = async || world.get("clients/payments-program/secrets").await.body.as_array().unwrap().clone();
    let live = |all: &[Value]| all.iter().filter(|secret| secret["expires"].is_null()).count();
    assert_eq!(live(&secrets().await), 1);
    let mut both = shop();
    both["secrets"]["payments-program"] = json!([SECRET, "abcdef0123456789abcdef0123456789"]);
    let plan = world.post("apply", &both).await.body;
    assert_eq!(plan["update"][0]["fields"], json!([{"field": "secrets", "from": null, "to": "(1 new)"}]));
    assert_eq!(live(&secrets().await), 2);
    both["secrets"]["payments-program"] = json!(["abcdef0123456789abcdef0123456789"]);
    assert_eq!(
        world.post("apply", &both).await.body["update"][0]["fields"],
        json!([{"field": "secrets", "from": "(1 retired)", "to": null}])
    );
    assert_eq!(live(&secrets().await), 1);
    let export = world.get("clients").await;
    let everything = format!("{}{}", export.body, json!(secrets().await));
    assert!(!everything.contains(SECRET) && !everything.contains("hash"), "{everything}");
}

#[tokio::test]
async fn secrets_and_passwords_are_checked_before_anything_else() {
    let world = World::with_shop().await;
    for (change, field) in [
        (json!({"secrets": {"payments-program": ["short"]}}), "secrets"),
        (json!({"secrets": {"payments-program": [format!("{SECRET} ")]}}), "secrets"),
        (json!({"secrets": {"web": [SECRET]}}), "secrets"),
        (json!({"secrets": {"nobody": [SECRET]}}), "secrets"),
        (json!({"passwords": {"alice": "short"}}), "password"),
        (json!({"passwords": {"nobody": "long enough for this"}}), "password"),
    ] {
        let mut asked = shop();
        change.as_object().unwrap().iter().for_each(|(key, value)| asked[key] = value.clone());
        let answer = world.post("apply", &asked).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{change}");
        assert_eq!(answer.body["faults"][0]["field"], field, "{}", answer.body);
        assert!(!answer.body.to_string().contains(SECRET));
    }
    for (kind, name, field) in [("client", "payments-program", "secrets"), ("person", "alice", "password")] {
        let reference = if field == "secrets" { json!(["${HOME}"]) } else { json!("${HOME}") };
        let answer = world.post("apply", &shop_with(&[(kind, name, json!({field: reference}))])).await;
        assert_eq!(answer.body["faults"][0]["field"], field, "a reference is resolved by whoever wrote it: {}", answer.body);
    }
}

#[tokio::test]
async fn a_new_realm_has_its_keys_from_the_first_moment() {
    let world = World::empty().await;
    let made = world.post("apply", &json!({"resources": [{"kind": "realm", "name": "second"}]})).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let keys = world.get("keys?realm=second").await.body;
    assert_eq!(keys.as_array().unwrap().len(), 4);
    assert!(keys.as_array().unwrap().iter().all(|key| key["issuer"] == "https://auth.shop.example/realms/second"));
    let inside = world.call(OWN, Method::PUT, "roles/clerk?realm=second", Some(&json!({"name": "clerk"}))).await;
    assert_eq!(inside.status, StatusCode::OK);
    assert_eq!(world.store.resources("second", ResourceKind::Role).await.unwrap().len(), 1);
    assert_eq!(world.call(OWN, Method::DELETE, "realms/second", None).await.status, StatusCode::CONFLICT, "it holds a role");
    world.call(OWN, Method::DELETE, "roles/clerk?realm=second", None).await;
    assert_eq!(world.call(OWN, Method::DELETE, "realms/second", None).await.status, StatusCode::OK);
    assert_eq!(world.call(OWN, Method::DELETE, "realms/main", None).await.status, StatusCode::CONFLICT);
    assert_eq!(world.post("apply?realm=nowhere", &shop()).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn of_two_changes_to_one_resource_at_once_none_is_lost() {
    let world = World::with_shop().await;
    let put = async |title: String| {
        let mut client = world.get("clients/web").await.body["resource"].clone();
        client.as_object_mut().unwrap().remove("kind");
        client["title"] = json!(title);
        world.call(OWN, Method::PUT, "clients/web", Some(&client)).await.status
    };
    let done = futures_util::future::join_all((0..8).map(|number| put(format!("Title {number}")))).await;
    let succeeded = done.iter().filter(|status| **status == StatusCode::OK).count();
    assert!(done.iter().all(|status| matches!(*status, StatusCode::OK | StatusCode::CONFLICT)), "{done:?}");
    assert_eq!(world.get("clients/web").await.body["version"], 1 + succeeded);
}

/// R14: each of these changes is good by itself, and no two of them are together.
#[tokio::test]
async fn of_changes_at_once_that_contradict_each_other_one_is_made() {
    let world = World::with_shop().await;
    let put = async |number: u32| {
        let name = format!("new-{number}");
        let route = json!({"name": name, "path": "/new", "upstream": "http://127.0.0.1:9003", "service": "inventory", "access": "public"});
        world.call(OWN, Method::PUT, &format!("routes/{name}"), Some(&route)).await.status
    };
    let done = futures_util::future::join_all((0..8).map(put)).await;
    assert_eq!(done.iter().filter(|status| **status == StatusCode::OK).count(), 1, "{done:?}");
    assert_eq!(world.get("status").await.body["problems"], json!([]));
}

/// R14: the gateway has one table of routes, and one that is not whole would stand still, tightened routes included.
#[tokio::test]
async fn a_route_that_another_realm_has_already_is_refused() {
    let world = World::with_shop().await;
    for realm in ["before", "second"] {
        world.post("apply", &json!({"resources": [{"kind": "realm", "name": realm}]})).await;
        let route = json!({"kind": "route", "name": "mine", "path": "/stock/{sku}", "upstream": "http://127.0.0.1:9009", "service": "mine", "access": "public"});
        let taken = json!({"resources": [{"kind": "service", "name": "mine"}, route]});
        let refused = world.post(&format!("apply?realm={realm}"), &taken).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
        assert!(refused.body["faults"][0]["message"].as_str().unwrap().contains("matches the same requests"), "{}", refused.body);
        assert_eq!(world.get("status").await.body["problems"], json!([]));
    }
}

/// Each is good by itself, whichever authority decides about it; both together are not.
#[tokio::test]
async fn two_authorities_at_once_never_declare_what_contradicts_itself() {
    let world = World::with_shop().await;
    let beside = world.beside().await;
    for round in 0..20 {
        let route = |name: &str| {
            json!({"resources": [{
                "kind": "route", "name": format!("{name}-{round}"), "path": format!("/contested/{round}"),
                "upstream": "http://127.0.0.1:9000", "service": "shop", "require": {"authenticated": true},
            }]})
        };
        let (left, right) = (route("left"), route("right"));
        let (left, right) = tokio::join!(world.post("apply", &left), beside.post("apply", &right));
        let mut statuses = [left.status, right.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [StatusCode::OK, StatusCode::UNPROCESSABLE_ENTITY], "{} {}", left.body, right.body);
    }
}

#[tokio::test]
async fn a_name_is_one_segment_of_an_address_whatever_it_names() {
    let world = World::with_shop().await;
    let fields = [
        ("client", json!({})),
        ("service", json!({})),
        ("role", json!({})),
        ("group", json!({})),
        ("person", json!({})),
        ("realm", json!({})),
        ("policy", json!({"text": ""})),
        ("schema", json!({"text": ""})),
        ("route", json!({"path": "/n", "upstream": "http://127.0.0.1:1", "service": "shop", "require": {"authenticated": true}})),
        ("trusted_issuer", json!({"issuer": "https://i.example", "algorithms": ["ES256"], "audience": "a"})),
    ];
    for (kind, fields) in fields {
        for name in [".", "..", "a/b", "a\0b", ""] {
            let mut resource = fields.clone();
            resource["kind"] = json!(kind);
            resource["name"] = json!(name);
            let answer = world.post("apply", &json!({"resources": [resource]})).await;
            assert_ne!(answer.status, StatusCode::OK, "{kind} {name:?}");
            if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
                let faults = answer.body["faults"].as_array().unwrap();
                assert!(faults.iter().any(|fault| fault["field"] == "name"), "{kind} {name:?}: {}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn a_trusted_issuer_has_one_name_and_its_tokens_are_for_services_that_are_declared() {
    let world = World::with_shop().await;
    let issuer = |name: &str, service: &str| {
        json!({"kind": "trusted_issuer", "name": name, "issuer": "https://partner.example", "jwks_uri": "https://partner.example/keys",
            "algorithms": ["ES256"], "access_tokens": {"audiences": {"https://shop.example": service}}})
    };
    let field = |answer: &crate::fixture::Answer| answer.body["faults"][0]["field"].as_str().unwrap_or_default().to_owned();
    let answer = world.post("apply", &json!({"resources": [issuer("partner", "nothing")]})).await;
    assert_eq!(field(&answer), "access_tokens.audiences.https://shop.example", "{}", answer.body);
    let answer = world.post("apply", &json!({"resources": [issuer("partner", "shop"), issuer("other", "shop")]})).await;
    assert_eq!(field(&answer), "issuer", "{}", answer.body);
    let answer = world.post("apply", &json!({"resources": [issuer("partner", "shop")]})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let answer = world.post("apply", &json!({"resources": [issuer("other", "shop")]})).await;
    assert_eq!(field(&answer), "issuer", "{}", answer.body);
}
