//! The identity token a gateway sends upstream.

use std::sync::Arc;

use crate::fixture::{AUTHORITY, NOW, World, family, key, resource_version, revocation, session, with};
use durward_base::Duration;
use durward_enforce::{Consumer, TokenKind, Verified};
use durward_jose::{Algorithm, SigningKey};
use durward_model::{Acting, KeyState, KeyUse, PrincipalKind, Record, RevocationKind};
use serde_json::json;

const ENTRANCE: Consumer<'_> = Consumer::entrance("main", "payments");
const PAYMENTS: Consumer<'_> = Consumer::service("main", "payments");

fn entered(world: &World) -> Arc<Verified> {
    world.cache.verify(&world.view, &ENTRANCE, &world.token(), NOW).unwrap()
}

fn identity(world: &World, verified: &Verified, audience: &str) -> String {
    let token = world.gateway.token(verified, audience, "dw-id+jwt", NOW, &world.rng).unwrap();
    token.authorization().to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}

#[test]
fn the_service_sees_the_caller_and_the_credential_it_stands_for() {
    let world = World::new();
    let entered = entered(&world);
    let token = identity(&world, &entered, "payments");
    let seen = world.cache.verify(&world.view, &PAYMENTS, &token, NOW).unwrap();
    let (before, after) = (entered.principal(), seen.principal());
    assert_eq!((after.kind, &after.id, &after.roles, &after.scopes), (before.kind, &before.id, &before.roles, &before.scopes));
    assert_eq!((&after.assurance, after.realm.as_str(), seen.kind()), (&before.assurance, "main", TokenKind::Identity));
    assert_eq!(after.credential.family, Some(family().to_string()));
    assert_eq!(after.credential.session, Some(session().to_string()));
    assert_eq!(after.credential.client.as_deref(), Some("web"));
    assert_eq!(after.credential.issuer, "https://auth.example/gateways/door");
    assert_ne!(after.credential.id, before.credential.id);
}

/// RFC 9396 9.1
#[test]
fn the_service_sees_what_was_allowed_in_detail() {
    let world = World::new();
    let details = json!([{ "type": "payment", "creditor": "Merchant A" }, { "type": "accounts", "actions": ["read"] }]);
    let token = world.sign("at+jwt", &with(world.claims(), "authorization_details", details.clone()));
    let entered = world.cache.verify(&world.view, &ENTRANCE, &token, NOW).unwrap();
    let seen = world.cache.verify(&world.view, &PAYMENTS, &identity(&world, &entered, "payments"), NOW).unwrap();
    let granted = &seen.principal().authorization_details;
    assert_eq!((serde_json::to_value(granted).unwrap(), granted.types()), (details, vec!["accounts".to_owned(), "payment".to_owned()]));
}

#[test]
fn it_is_for_one_audience_and_never_an_entrance_or_the_authority() {
    let world = World::new();
    let token = identity(&world, &entered(&world), "payments");
    let reason = |consumer: &Consumer<'_>| world.cache.verify(&world.view, consumer, &token, NOW).unwrap_err().reason();
    assert_eq!(reason(&Consumer::service("main", "inventory")), "audience_mismatch");
    assert_eq!(reason(&ENTRANCE), "token_kind");
    assert_eq!(reason(&Consumer::authority("main")), "token_kind");
    assert_eq!(reason(&Consumer::service("other", "payments")), "realm_mismatch");
}

#[test]
fn it_dies_with_the_credential_it_stands_for() {
    use RevocationKind::{Client, Family, Key, Session, Subject, Token};
    for kind in [Token, Family, Session, Subject, Client, Key] {
        let mut world = World::new();
        let entered = entered(&world);
        // Minted after the watermark, as by a gateway that has not heard of it: what counts is when the credential was made.
        let late = NOW + Duration::from_secs(5);
        let token = world.gateway.token(&entered, "payments", "JWT", late, &world.rng).unwrap();
        let token = token.authorization().to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
        assert!(world.cache.verify(&world.view, &PAYMENTS, &token, late).is_ok());
        let revoked = match kind {
            Token => entered.principal().credential.id.clone(),
            Family => family().to_string(),
            Session => session().to_string(),
            Subject => "alice-sub".to_owned(),
            Client => "web".to_owned(),
            _ => world.realm_key.kid().to_owned(),
        };
        world.change(revocation(kind, &revoked));
        assert!(world.cache.verify(&world.view, &PAYMENTS, &token, late).is_err(), "{kind:?}");
    }
}

#[test]
fn it_dies_with_the_gateways_key_and_with_the_realms() {
    for gateways in [true, false] {
        let mut world = World::new();
        let token = identity(&world, &entered(&world), "payments");
        assert!(world.cache.verify(&world.view, &PAYMENTS, &token, NOW).is_ok());
        let removed = if gateways {
            key(world.gateway.key(), world.gateway.issuer(), KeyUse::Identity, KeyState::Removed)
        } else {
            key(&world.realm_key, &durward_enforce::realm_issuer(AUTHORITY, "main"), KeyUse::Token, KeyState::Removed)
        };
        world.change(Record::Key(removed));
        assert!(world.cache.verify(&world.view, &PAYMENTS, &token, NOW).is_err());
    }
}

#[test]
fn it_lives_sixty_seconds_and_is_reused_for_thirty() {
    let world = World::new();
    let entered = entered(&world);
    let at = |seconds| world.gateway.token(&entered, "payments", "dw-id+jwt", NOW + Duration::from_secs(seconds), &world.rng).unwrap();
    let first = at(0);
    assert_eq!(first.expires(), NOW + Duration::from_secs(60));
    assert_eq!(at(29).jti(), first.jti());
    assert_ne!(at(30).jti(), first.jti());
    for (audience, typ) in [("inventory", "dw-id+jwt"), ("payments", "JWT")] {
        let other = world.gateway.token(&entered, audience, typ, NOW, &world.rng).unwrap();
        assert_ne!(other.jti(), first.jti());
    }
    let end = NOW + Duration::from_secs(295);
    let last = world.gateway.token(&entered, "payments", "dw-id+jwt", end, &world.rng).unwrap();
    assert_eq!(last.expires(), NOW + Duration::from_secs(300), "it does not outlive the credential");
}

#[test]
fn its_expiry_binds_the_service_too() {
    let world = World::new();
    let token = identity(&world, &entered(&world), "payments");
    let at = |seconds| world.cache.verify(&world.view, &PAYMENTS, &token, NOW + Duration::from_secs(seconds)).is_ok();
    assert!(at(0) && at(69) && !at(70));
}

#[test]
fn a_gateway_of_one_realm_cannot_speak_for_another() {
    let mut world = World::new();
    let foreign = SigningKey::generate(Algorithm::ES256).unwrap();
    let record = durward_model::Key {
        realm: "other".into(),
        ..key(&foreign, "https://auth.example/gateways/other", KeyUse::Identity, KeyState::Active)
    };
    world.change(Record::Key(record));
    let issuer = durward_enforce::IdentityIssuer::new("https://auth.example/gateways/other".into(), foreign);
    let token = issuer.token(&entered(&world), "payments", "JWT", NOW, &world.rng).unwrap();
    let token = token.authorization().to_str().unwrap().strip_prefix("Bearer ").unwrap();
    for realm in ["main", "other"] {
        assert!(world.cache.verify(&world.view, &Consumer::service(realm, "payments"), token, NOW).is_err(), "{realm}");
    }
}

#[test]
fn a_service_behind_a_gateway_keeps_its_kind_and_whom_it_acts_for_is_passed_on() {
    let world = World::new();
    let program = world.sign("JWT", &world.program_claims());
    let entered = world.cache.verify(&world.view, &Consumer::entrance("main", "inventory"), &program, NOW).unwrap();
    let token = identity(&world, &entered, "inventory");
    let seen = world.cache.verify(&world.view, &Consumer::service("main", "inventory"), &token, NOW).unwrap();
    assert_eq!((seen.principal().kind, seen.principal().id.as_str()), (PrincipalKind::Service, "payments"));
    assert_eq!(seen.principal().acts_for, None);
    let claims = json!({
        "iss": world.gateway.issuer(), "aud": "inventory", "sub": "payments", "exp": NOW.seconds() + 60, "iat": NOW.seconds(),
        "jti": world.jti(NOW), "kind": "service", "acts_for": {"kind": "user", "id": "alice-sub"},
        "cred": {"jti": world.jti(NOW), "kid": world.realm_key.kid(), "client_id": "payments-program"},
    });
    let token = world.gateway.key().sign("dw-id+jwt", &claims).unwrap();
    let seen = world.cache.verify(&world.view, &Consumer::service("main", "inventory"), &token, NOW).unwrap();
    assert_eq!(seen.principal().acts_for, Some(Acting { kind: PrincipalKind::User, id: "alice-sub".into(), through: Vec::new() }));
    for missing in ["kind", "cred"] {
        let token = world.gateway.key().sign("dw-id+jwt", &crate::fixture::with(claims.clone(), missing, json!(null))).unwrap();
        assert!(world.cache.verify(&world.view, &Consumer::service("main", "inventory"), &token, NOW).is_err(), "{missing}");
    }
}

#[test]
fn a_disabled_client_stops_the_identities_made_from_its_tokens() {
    let mut world = World::new();
    let token = identity(&world, &entered(&world), "payments");
    assert!(world.cache.verify(&world.view, &PAYMENTS, &token, NOW).is_ok());
    world.change(resource_version("main", json!({"kind": "client", "name": "web", "disabled": true}), 2));
    assert_eq!(world.cache.verify(&world.view, &PAYMENTS, &token, NOW).unwrap_err().reason(), "client_disabled");
}

#[test]
fn it_does_not_print() {
    let world = World::new();
    let token = world.gateway.token(&entered(&world), "payments", "JWT", NOW, &world.rng).unwrap();
    let signature = token.authorization().to_str().unwrap().rsplit_once('.').unwrap().1.to_owned();
    assert!(!format!("{token:?} {:?}", token.authorization()).contains(&signature));
}
