//! From token to principal, and every token that makes none.

use crate::fixture::{AUTHORITY, NOW, World, family, key, resource_version, revocation, session, with};
use durward_base::Duration;
use durward_enforce::{Consumer, TokenKind, View};
use durward_jose::{Algorithm, SigningKey};
use durward_model::{KeyState, KeyUse, PrincipalKind, RevocationKind};
use serde_json::{Value, json};

const PAYMENTS: Consumer<'_> = Consumer::entrance("main", "payments");
const INVENTORY: Consumer<'_> = Consumer::service("main", "inventory");

fn refused(world: &World, consumer: &Consumer<'_>, token: &str) -> Option<&'static str> {
    world.cache.verify(&world.view, consumer, token, NOW).err().map(|error| error.reason())
}

#[test]
fn a_persons_access_token_makes_a_user() {
    let world = World::new();
    let verified = world.cache.verify(&world.view, &PAYMENTS, &world.token(), NOW).unwrap();
    let principal = verified.principal();
    assert_eq!((principal.kind, principal.id.as_str(), verified.kind()), (PrincipalKind::User, "alice-sub", TokenKind::Access));
    assert_eq!((principal.roles.as_slice(), principal.scopes.as_slice()), (&["customer".to_owned()][..], &["order".to_owned()][..]));
    assert_eq!(principal.credential.client.as_deref(), Some("web"));
    assert_eq!(principal.credential.family, Some(family().to_string()));
    assert_eq!(principal.credential.session, Some(session().to_string()));
    assert_eq!(verified.caller().id, "alice-sub");
}

#[test]
fn a_programs_token_makes_the_service_it_runs_or_the_client_it_is() {
    let world = World::new();
    let service = world.sign("JWT", &world.program_claims());
    let verified = world.cache.verify(&world.view, &INVENTORY, &service, NOW).unwrap();
    assert_eq!((verified.principal().kind, verified.principal().id.as_str()), (PrincipalKind::Service, "payments"));
    let client = world.sign("JWT", &with(world.program_claims(), "svc", Value::Null));
    let verified = world.cache.verify(&world.view, &INVENTORY, &client, NOW).unwrap();
    assert_eq!((verified.principal().kind, verified.principal().id.as_str()), (PrincipalKind::Client, "payments-program"));
}

#[test]
fn a_token_that_is_not_whole_or_not_for_us_is_refused() {
    let world = World::new();
    let cases = [
        ("aud", json!("inventory"), "typ_mismatch"),
        ("aud", json!("web"), "audience_mismatch"),
        ("aud", json!(["payments"]), ""),
        ("aud", json!(["payments", "inventory"]), "claim_malformed"),
        ("aud", json!([]), "claim_missing"),
        ("aud", Value::Null, "claim_missing"),
        ("aud", json!(1), "claim_malformed"),
        ("iss", json!("https://auth.example/realms/other"), "key_unknown"),
        ("iss", json!("https://auth.example/realms/main/"), "key_unknown"),
        ("iss", Value::Null, "key_unknown"),
        ("exp", json!(NOW.seconds() - 10), "token_expired"),
        ("exp", Value::Null, "claim_missing"),
        ("exp", json!("soon"), "claim_malformed"),
        ("exp", json!(NOW.seconds() + 3601), "lifetime_too_long"),
        ("iat", json!(NOW.seconds() + 60), "token_issued_in_future"),
        ("iat", Value::Null, "claim_missing"),
        ("nbf", json!(NOW.seconds() + 60), "token_not_yet_valid"),
        ("jti", Value::Null, "claim_missing"),
        ("jti", json!("not-an-id"), "claim_malformed"),
        ("sub", Value::Null, "claim_missing"),
        ("sub", json!(""), "claim_missing"),
        ("sub", json!(["alice"]), "claim_malformed"),
        ("client_id", Value::Null, "token_kind"),
        ("scope", Value::Null, "token_kind"),
        ("scope", json!(["order"]), "claim_malformed"),
        ("roles", json!("customer"), "claim_malformed"),
        ("roles", json!([1]), "claim_malformed"),
        ("sid", Value::Null, "claim_malformed"),
        ("ses", Value::Null, "claim_malformed"),
        ("svc", json!("payments"), "claim_malformed"),
        ("auth_time", json!("now"), "claim_malformed"),
        ("cnf", json!({"jkt": "A".repeat(43)}), "token_bound"),
        ("cnf", json!({"jkt": "x"}), "claim_malformed"),
        ("cnf", json!({"kid": "A".repeat(43)}), "claim_malformed"),
        ("cnf", json!({"jkt": "A".repeat(43), "x5t#S256": "A".repeat(43)}), "claim_malformed"),
        ("cnf", json!({}), "claim_malformed"),
        ("cnf", json!("x"), "claim_malformed"),
    ];
    for (name, value, reason) in cases {
        let token = world.sign("at+jwt", &with(world.claims(), name, value.clone()));
        assert_eq!(refused(&world, &PAYMENTS, &token).unwrap_or_default(), reason, "{name}: {value}");
    }
    assert_eq!(refused(&world, &Consumer::entrance("other", "payments"), &world.token()), Some("realm_mismatch"));
    assert_eq!(refused(&world, &Consumer::authority("main"), &world.token()), None);
}

/// Every kind of JWT made here, at every consumer: only the diagonal passes.
#[test]
fn each_kind_of_token_passes_at_its_own_consumer_only_jose_031_jose_032() {
    let world = World::new();
    let entry = world.cache.verify(&world.view, &PAYMENTS, &world.token(), NOW).unwrap();
    let identity = |typ| {
        let token = world.gateway.token(&entry, "inventory", typ, NOW, &world.rng).unwrap();
        token.authorization().to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned()
    };
    let in_audience = |audience: &str| with(world.id_token_claims(), "aud", json!(audience));
    let bare = with(with(in_audience("inventory"), "nonce", Value::Null), "at_hash", Value::Null);
    let tokens = [
        ("access token, at+jwt", world.token(), [true, false, false, true]),
        ("access token, JWT", world.sign("JWT", &world.program_claims()), [false, true, true, true]),
        ("identity token", identity("dw-id+jwt"), [false, false, true, false]),
        ("identity token, JWT", identity("JWT"), [false, false, true, false]),
        ("ID token", world.sign("JWT", &world.id_token_claims()), [false; 4]),
        ("ID token for payments", world.sign("JWT", &in_audience("payments")), [false; 4]),
        ("ID token for inventory", world.sign("JWT", &in_audience("inventory")), [false; 4]),
        ("ID token for inventory, without nonce", world.sign("JWT", &bare), [false; 4]),
        ("ID token in an access token's type", world.sign("at+jwt", &in_audience("payments")), [false; 4]),
        ("access token of the other type", world.sign("JWT", &world.claims()), [false; 4]),
        ("logout token", world.sign("logout+jwt", &world.claims()), [false; 4]),
        ("security event", world.sign("secevent+jwt", &world.claims()), [false; 4]),
        ("introspection response", world.sign("token-introspection+jwt", &world.claims()), [false; 4]),
        ("DPoP proof", world.sign("dpop+jwt", &world.claims()), [false; 4]),
        ("client assertion", world.sign("client-authentication+jwt", &world.claims()), [false; 4]),
        ("identity token's type on a realm's key", world.sign("dw-id+jwt", &world.program_claims()), [false; 4]),
        ("access token on a gateway's key", gateways(&world, "at+jwt", world.claims()), [false; 4]),
        ("access token on a gateway's key, JWT", gateways(&world, "JWT", world.program_claims()), [false; 4]),
        ("untyped", untyped(&world), [false; 4]),
    ];
    let consumers = [
        ("entrance of payments", PAYMENTS),
        ("entrance of inventory", Consumer::entrance("main", "inventory")),
        ("inventory itself", INVENTORY),
        ("authority", Consumer::authority("main")),
    ];
    for (name, token, expected) in tokens {
        for ((consumer_name, consumer), expected) in consumers.iter().zip(expected) {
            assert_eq!(refused(&world, consumer, &token).is_none(), expected, "{name} at {consumer_name}");
        }
    }
}

fn gateways(world: &World, typ: &str, claims: Value) -> String {
    let issuer = with(claims, "iss", json!(world.gateway.issuer()));
    world.gateway.key().sign(typ, &issuer).unwrap()
}

/// A token without `typ`: the header is rewritten, so that the signature is wrong as well; it must not get that far.
fn untyped(world: &World) -> String {
    let token = world.token();
    let rest = token.split_once('.').unwrap().1;
    let header = json!({"alg": "ES256", "kid": world.realm_key.kid()}).to_string();
    format!("{}.{rest}", durward_base::base64url::encode(header.as_bytes()))
}

/// JOSE-047: keys before and after their time, compromised, of another use, of nobody.
#[test]
fn only_a_key_that_signs_or_has_signed_counts_jose_047() {
    let mut world = World::new();
    let issuer = durward_enforce::realm_issuer(AUTHORITY, "main");
    let next = SigningKey::generate(Algorithm::ES256).unwrap();
    let token = next.sign("at+jwt", &world.claims()).unwrap();
    assert_eq!(refused(&world, &PAYMENTS, &token), Some("key_unknown"));
    let states = [
        (KeyState::Published, Some("key_unknown")),
        (KeyState::Active, None),
        (KeyState::Retiring, None),
        (KeyState::Removed, Some("key_unknown")),
    ];
    for (state, expected) in states {
        world.change(durward_model::Record::Key(key(&next, &issuer, KeyUse::Token, state)));
        assert_eq!(refused(&world, &PAYMENTS, &token), expected, "{state:?}");
    }
    let old = world.token();
    assert_eq!(refused(&world, &PAYMENTS, &old), None);
    world.change(revocation(RevocationKind::Key, world.realm_key.kid()));
    assert_eq!(refused(&world, &PAYMENTS, &old), Some("key_revoked"), "compromised, though still active");
    assert_eq!(refused(&world, &PAYMENTS, &world.token()), Some("key_revoked"));
}

#[test]
fn an_altered_character_anywhere_is_a_refusal_even_when_the_token_is_known() {
    let world = World::new();
    let token = world.token();
    assert_eq!(refused(&world, &PAYMENTS, &token), None);
    for position in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[position] = if altered[position] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(refused(&world, &PAYMENTS, &altered).is_some(), "character {position}");
        assert!(refused(&world, &PAYMENTS, &token[..position]).is_some(), "cut at {position}");
    }
    for extended in [format!("{token}A"), format!("{token}="), format!(" {token}"), format!("{token}\n"), token.to_uppercase()] {
        assert!(refused(&world, &PAYMENTS, &extended).is_some());
    }
    assert_eq!(refused(&world, &PAYMENTS, &token), None);
}

#[test]
fn a_token_dies_with_whatever_it_hangs_on_at_once_and_stays_dead() {
    let kinds = [
        (RevocationKind::Family, family().to_string(), "family_revoked"),
        (RevocationKind::Session, session().to_string(), "session_revoked"),
        (RevocationKind::Subject, "alice-sub".to_owned(), "subject_revoked"),
        (RevocationKind::Client, "web".to_owned(), "client_revoked"),
        (RevocationKind::Realm, "main".to_owned(), "realm_revoked"),
    ];
    for (kind, revoked, reason) in kinds {
        let mut world = World::new();
        let token = world.token();
        assert_eq!(refused(&world, &PAYMENTS, &token), None);
        world.change(revocation(kind, "somebody-else"));
        assert_eq!(refused(&world, &PAYMENTS, &token), None);
        world.change(revocation(kind, &revoked));
        for _ in 0..2 {
            assert_eq!(refused(&world, &PAYMENTS, &token), Some(reason));
        }
        let later = with(world.claims(), "jti", json!(world.jti(NOW + Duration::from_secs(1))));
        let later = world.sign("at+jwt", &later);
        let expected = (!matches!(kind, RevocationKind::Subject | RevocationKind::Client | RevocationKind::Realm)).then_some(reason);
        assert_eq!(refused(&world, &PAYMENTS, &later), expected, "a watermark spares what was made after it: {kind:?}");
    }
}

#[test]
fn a_single_token_is_revoked_by_its_jti() {
    let mut world = World::new();
    let (claims, other) = (world.claims(), world.token());
    let token = world.sign("at+jwt", &claims);
    world.change(revocation(RevocationKind::Token, claims["jti"].as_str().unwrap()));
    assert_eq!(refused(&world, &PAYMENTS, &token), Some("token_revoked"));
    assert_eq!(refused(&world, &PAYMENTS, &other), None);
}

#[test]
fn a_disabled_client_or_realm_stops_every_token() {
    let mut world = World::new();
    let token = world.token();
    assert_eq!(refused(&world, &PAYMENTS, &token), None);
    world.change(resource_version("main", json!({"kind": "client", "name": "web", "disabled": true}), 2));
    assert_eq!(refused(&world, &PAYMENTS, &token), Some("client_disabled"));
    world.change(resource_version("main", json!({"kind": "client", "name": "web"}), 3));
    assert_eq!(refused(&world, &PAYMENTS, &token), None);
    world.change(resource_version("main", json!({"kind": "realm", "name": "main", "disabled": true}), 2));
    assert_eq!(refused(&world, &PAYMENTS, &token), Some("realm_disabled"));
}

#[test]
fn a_known_token_expires_by_the_clock() {
    let world = World::new();
    let token = world.token();
    let at = |seconds| world.cache.verify(&world.view, &PAYMENTS, &token, NOW + Duration::from_secs(seconds));
    assert!(at(0).is_ok() && at(309).is_ok());
    assert_eq!(at(310).unwrap_err().reason(), "token_expired");
    assert!(world.cache.is_empty());
}

#[test]
fn a_token_that_came_again_is_kept_and_its_audience_asked_each_time() {
    let world = World::new();
    let token = world.token();
    let verified = || world.cache.verify(&world.view, &PAYMENTS, &token, NOW).unwrap();
    let (_, second, third) = (verified(), verified(), verified());
    assert!(std::sync::Arc::ptr_eq(&second, &third));
    assert_eq!(refused(&world, &INVENTORY, &token), Some("audience_mismatch"));
    assert_eq!(world.cache.len(), 1);
}

/// JOSE-026: the other half of the curve makes another valid signature. A token so changed is verified for itself and gains nothing: it is
/// the same token, and dies with it.
#[test]
fn a_malleable_signature_makes_no_second_life_jose_026() {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
        0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut world = World::new();
    let claims = world.claims();
    let token = world.sign("at+jwt", &claims);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut signature = durward_base::base64url::decode(signature).unwrap();
    let mut borrow = 0_i16;
    for (place, order) in signature[32..].iter_mut().zip(ORDER).rev() {
        let difference = i16::from(order) - i16::from(*place) - borrow;
        borrow = i16::from(difference < 0);
        *place = difference.rem_euclid(256) as u8;
    }
    let twin = format!("{message}.{}", durward_base::base64url::encode(&signature));
    assert_ne!(twin, token);
    assert_eq!((refused(&world, &PAYMENTS, &token), refused(&world, &PAYMENTS, &twin)), (None, None));
    world.change(revocation(RevocationKind::Token, claims["jti"].as_str().unwrap()));
    for spelling in [&token, &twin] {
        assert_eq!(refused(&world, &PAYMENTS, spelling), Some("token_revoked"));
    }
}

#[test]
fn nothing_is_known_before_the_first_snapshot() {
    let world = World::new();
    assert!(world.cache.verify(&View::default(), &PAYMENTS, &world.token(), NOW).is_err());
    let token = world.token();
    assert_eq!(refused(&world, &PAYMENTS, &token), None);
    assert!(world.cache.verify(&View::default(), &PAYMENTS, &token, NOW).is_err());
}
