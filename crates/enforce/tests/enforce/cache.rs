//! What the credential cache keeps, within which bounds.

use std::sync::Arc;

use durward_base::FamilyId;
use durward_enforce::{Circumstances, Consumer, CredentialCache, Demand, Entity, Verified, decide, realm_issuer};
use durward_model::{Key, KeyState, KeyUse, Record, RevocationKind};
use serde_json::json;

use crate::fixture::{AUTHORITY, NOW, World, key, revocation, with};

const PAYMENTS: Consumer<'static> = Consumer::entrance("main", "payments");

fn token(world: &World, number: u32) -> String {
    let family = FamilyId::from_bytes(u128::from(number).to_be_bytes()).to_string();
    world.sign("at+jwt", &with(world.claims(), "sid", json!(family)))
}

fn verified(world: &World, token: &str) -> Arc<Verified> {
    world.cache.verify(&world.view, &PAYMENTS, token, NOW).unwrap()
}

/// A cache of a mebibyte, and a token in use there.
fn in_a_mebibyte() -> (World, String, Arc<Verified>) {
    let world = World { cache: CredentialCache::within(1 << 20, &durward_testkit::seeded(8)), ..World::new() };
    let busy = token(&world, 0);
    let [_, known] = [(); 2].map(|()| verified(&world, &busy));
    (world, busy, known)
}

#[test]
fn a_flood_of_tokens_that_come_once_keeps_little_and_throws_out_nothing_in_use() {
    let (world, busy, known) = in_a_mebibyte();
    for number in 1..2_000 {
        verified(&world, &token(&world, number));
    }
    assert_eq!(world.cache.len(), 1);
    assert!(world.cache.bytes() < 1 << 18, "{}", world.cache.bytes());
    assert!(Arc::ptr_eq(&known, &verified(&world, &busy)));
}

#[test]
fn a_flood_of_tokens_in_use_stays_within_bounds_and_throws_out_nothing_used_meanwhile() {
    let (world, busy, known) = in_a_mebibyte();
    for number in 1..2_000 {
        let other = token(&world, number);
        (0..2).for_each(|_| drop(verified(&world, &other)));
        assert!(world.cache.bytes() <= 1 << 20, "{}", world.cache.bytes());
        assert!(Arc::ptr_eq(&known, &verified(&world, &busy)), "{number}");
    }
    assert!(world.cache.len() < 1_000, "{}", world.cache.len());
}

/// The signature alone is remembered: everything else is asked again.
#[test]
fn a_token_that_came_once_is_nothing_but_a_signature() {
    let refused = |change: &dyn Fn(&World) -> Record| {
        let mut world = World::new();
        let token = token(&world, 1);
        verified(&world, &token);
        world.change(change(&world));
        world.cache.verify(&world.view, &PAYMENTS, &token, NOW).unwrap_err().reason()
    };
    let issuer = realm_issuer(AUTHORITY, "main");
    assert_eq!(refused(&|_| revocation(RevocationKind::Subject, "alice-sub")), "subject_revoked");
    assert_eq!(refused(&|world| Record::Key(key(&world.realm_key, &issuer, KeyUse::Token, KeyState::Removed))), "key_unknown");
}

#[test]
fn a_signature_is_not_taken_from_another_key_of_the_same_name() {
    let mut world = World::new();
    let token = token(&world, 1);
    verified(&world, &token);
    let other = durward_jose::SigningKey::generate(durward_jose::Algorithm::ES256).unwrap();
    let issuer = realm_issuer(AUTHORITY, "main");
    let mut jwk = serde_json::to_value(other.jwk()).unwrap();
    jwk["kid"] = json!(world.realm_key.kid());
    let forged = Key { kid: world.realm_key.kid().to_owned(), jwk, ..key(&other, &issuer, KeyUse::Token, KeyState::Active) };
    assert_eq!(world.change(Record::Key(forged)), []);
    assert!(world.cache.verify(&world.view, &PAYMENTS, &token, NOW).is_err());
}

/// POL-008: only tokens that policies cannot tell apart share what was decided.
#[test]
fn tokens_of_one_login_share_decisions_and_no_others_do_pol_008() {
    let world = World::new();
    let stock = Entity::new("Stock", "4711").unwrap();
    let demand = Demand::Action { action: "inventory:read", resource: &stock };
    let circumstances = Circumstances { now: NOW, address: None, known_browser: None };
    let decided = |claims| {
        let verified = world.cache.verify(&world.view, &PAYMENTS, &world.sign("at+jwt", &claims), NOW).unwrap();
        decide(&world.view, Some(&verified), &demand, circumstances, ()).map(|permitted| Arc::clone(permitted.decision()))
    };
    let clerk = || with(world.claims(), "roles", json!(["clerk"]));
    let first = decided(clerk()).unwrap();
    assert!(Arc::ptr_eq(&first, &decided(clerk()).unwrap()));
    let others =
        [("acr", json!("mfa")), ("auth_time", json!(NOW.seconds() - 31)), ("scope", json!("order other")), ("client_id", json!("app"))];
    for (name, value) in others {
        assert!(!Arc::ptr_eq(&first, &decided(with(clerk(), name, value)).unwrap()), "{name}");
    }
    assert!(decided(with(clerk(), "roles", json!(["customer"]))).is_err());
}
