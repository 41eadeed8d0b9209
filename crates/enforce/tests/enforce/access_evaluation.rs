//! OpenID AuthZEN Authorization API 1.0: who may ask, about whom, and what is answered.

use crate::fixture::{NOW, World, with};
use durward_enforce::access_evaluation::{AccessRequest, Asker, MOST_QUESTIONS};
use serde_json::{Value, json};

fn asker(world: &World) -> Asker {
    let token = world.sign("at+jwt", &with(world.program_claims(), "aud", json!("urn:durward:fleet")));
    Asker::prove(&world.view, &world.cache, &token, NOW).unwrap()
}

fn alice(token: &str) -> Value {
    json!({"type": "user", "id": "alice-sub", "properties": {"token": token, "roles": ["boss"], "acr": "mfa"}})
}

fn stock(subject: Value, action: &str, sku: &str) -> Value {
    json!({"subject": subject, "action": {"name": action}, "resource": {"type": "Stock", "id": sku}, "context": {"acr": "mfa", "time": 1}})
}

fn one(world: &World, question: &Value) -> Value {
    let request = AccessRequest::one(question.to_string().as_bytes()).unwrap();
    serde_json::from_slice(&asker(world).answer(&world.view, &world.cache, &request, NOW).to_json().unwrap()).unwrap()
}

fn several(world: &World, questions: &Value) -> Value {
    let request = AccessRequest::several(questions.to_string().as_bytes()).unwrap();
    serde_json::from_slice(&asker(world).answer(&world.view, &world.cache, &request, NOW).to_json().unwrap()).unwrap()
}

#[test]
fn a_question_is_answered_about_whoever_proves_themselves_and_not_as_it_says_pol_005() {
    let world = World::new();
    let (clerk, customer) = (world.token_with_roles(&["clerk"]), world.token());
    let no = |reason: &str| json!({"decision": false, "context": {"reason": reason}});
    let elsewhere = world.sign("JWT", &with(world.claims(), "aud", json!("inventory")));
    let itself = json!({"type": "service", "id": "payments"});
    for (name, question, expected) in [
        ("a clerk", stock(alice(&clerk), "inventory:read", "lamp"), json!({"decision": true})),
        ("a customer that says it is more", stock(alice(&customer), "inventory:read", "lamp"), no("not_permitted")),
        ("a forbidden thing", stock(alice(&clerk), "inventory:read", "poison"), no("policy_denied")),
        ("an action that nobody declared", stock(alice(&clerk), "inventory:burn", "lamp"), no("policy_error")),
        ("somebody without proof", stock(json!({"type": "user", "id": "alice-sub"}), "inventory:read", "lamp"), no("subject_unproved")),
        (
            "somebody with another's proof",
            stock(json!({"type": "user", "id": "bob", "properties": {"token": clerk}}), "inventory:read", "lamp"),
            no("subject_mismatch"),
        ),
        ("another service's caller", stock(alice(&elsewhere), "inventory:read", "lamp"), no("audience_mismatch")),
        ("itself", stock(itself.clone(), "inventory:reserve", "lamp"), json!({"decision": true})),
        ("itself, for more", stock(itself, "inventory:restock", "lamp"), no("not_permitted")),
    ] {
        assert_eq!(one(&world, &question), expected, "{name}");
    }
}

#[test]
fn a_denial_names_the_login_that_would_do() {
    let world = World::new();
    let question = stock(alice(&world.token()), "inventory:read", "vault");
    assert_eq!(one(&world, &question), json!({"decision": false, "context": {"reason": "not_permitted", "acr_values": "mfa"}}));
}

#[test]
fn several_questions_share_what_they_leave_out_and_end_where_their_semantic_says() {
    let world = World::new();
    let skus = ["lamp", "poison", "desk"].map(|sku| json!({"resource": {"type": "Stock", "id": sku}}));
    let whole = |semantic: &str| {
        json!({
            "subject": alice(&world.token_with_roles(&["clerk"])), "action": {"name": "inventory:read"},
            "evaluations": skus, "options": {"evaluations_semantic": semantic},
        })
    };
    for (semantic, expected) in
        [("execute_all", vec![true, false, true]), ("deny_on_first_deny", vec![true, false]), ("permit_on_first_permit", vec![true])]
    {
        let answer = several(&world, &whole(semantic));
        let decisions: Vec<_> = answer["evaluations"].as_array().unwrap().iter().map(|one| one["decision"].as_bool().unwrap()).collect();
        assert_eq!(decisions, expected, "{semantic}");
    }
    // 7.1: without any, it is one question.
    let single = stock(alice(&world.token_with_roles(&["clerk"])), "inventory:read", "lamp");
    assert_eq!(several(&world, &single), json!({"decision": true}));
}

#[test]
fn what_is_no_question_is_refused_pol_010() {
    let whole = stock(alice("t"), "a", "b");
    for member in ["subject", "action", "resource"] {
        let text = with(whole.clone(), member, Value::Null).to_string();
        assert!(AccessRequest::one(text.as_bytes()).is_err(), "{member}");
        assert!(AccessRequest::several(text.as_bytes()).is_err(), "{member}");
    }
    let many = with(whole.clone(), "evaluations", json!(vec![json!({}); MOST_QUESTIONS + 1]));
    let error = AccessRequest::several(many.to_string().as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("101 questions"), "{error}");
    let semantic = with(whole.clone(), "options", json!({"evaluations_semantic": "allow_all"}));
    for text in [semantic.to_string(), "[]".to_owned(), "{".to_owned(), r#"{"subject":{},"subject":{}}"#.to_owned()] {
        assert!(AccessRequest::several(text.as_bytes()).is_err(), "{text}");
    }
    let error = AccessRequest::one(with(whole, "action", json!({"name": 7})).to_string().as_bytes()).unwrap_err().to_string();
    assert!(!error.contains('7'), "{error}");
}

#[test]
fn only_a_service_that_acts_for_itself_may_ask() {
    let world = World::new();
    let fleet = |claims: Value| world.sign("at+jwt", &with(claims, "aud", json!("urn:durward:fleet")));
    for token in [world.token(), fleet(world.claims()), fleet(with(world.program_claims(), "svc", Value::Null)), "a.b.c".to_owned()] {
        assert!(Asker::prove(&world.view, &world.cache, &token, NOW).is_err());
    }
}
