//! RFC 8693: tokens that somebody acts with for somebody else.

use durward_enforce::{Consumer, TokenError};
use durward_model::{Acting, Actor, PrincipalKind, RevocationKind};
use serde_json::{Value, json};

use crate::fixture::{NOW, World, family, resource_version, revocation, session, with};

/// Payments acts for Alice at inventory, with what came of her token for `web`.
fn delegated(world: &World) -> Value {
    let root = json!({"jti": world.jti(NOW), "kid": world.realm_key.kid(), "client_id": "web"});
    let claims = with(world.claims(), "aud", json!("inventory"));
    let claims = with(claims, "client_id", json!("payments-program"));
    let claims = with(claims, "from", json!([root]));
    with(claims, "act", json!({"sub": "payments-program", "svc": "payments"}))
}

fn inventory() -> Consumer<'static> {
    Consumer::service("main", "inventory")
}

fn alice(through: Vec<Actor>) -> Option<Acting> {
    Some(Acting { kind: PrincipalKind::User, id: "alice-sub".into(), through })
}

#[test]
fn the_principal_is_who_acts_and_names_whom_it_acts_for() {
    let world = World::new();
    let verified = world.cache.verify(&world.view, &inventory(), &world.sign("JWT", &delegated(&world)), NOW).unwrap();
    let principal = verified.principal();
    assert_eq!((principal.kind, principal.id.as_str()), (PrincipalKind::Service, "payments"));
    assert_eq!(principal.acts_for, alice(Vec::new()));
    assert_eq!(verified.caller().acts_for, principal.acts_for);
    assert_eq!(principal.credential.session, Some(session().to_string()));
    assert_eq!(principal.assurance.acr.as_deref(), Some("pwd"));

    let nested = json!({"sub": "payments-program", "svc": "payments", "act": {"sub": "bot"}});
    let token = world.sign("JWT", &with(delegated(&world), "act", nested));
    let verified = world.cache.verify(&world.view, &inventory(), &token, NOW).unwrap();
    assert_eq!(verified.principal().acts_for, alice(vec![Actor { kind: PrincipalKind::Client, id: "bot".into() }]));
}

/// A gateway hands on both, the chain, and all that it hangs on.
#[test]
fn an_identity_token_of_an_exchanged_token_names_both_and_dies_with_all_it_comes_from() {
    let mut world = World::new();
    let claims = delegated(&world);
    let entered = world.cache.verify(&world.view, &inventory(), &world.sign("JWT", &claims), NOW).unwrap();
    let identity = world.gateway.token(&entered, "payments", "dw-id+jwt", NOW, &world.rng).unwrap();
    let token = identity.authorization().to_str().unwrap().trim_start_matches("Bearer ").to_owned();
    let payments = Consumer::service("main", "payments");
    let seen = world.cache.verify(&world.view, &payments, &token, NOW).unwrap();
    assert_eq!((seen.principal().id.as_str(), &seen.principal().acts_for), ("payments", &alice(Vec::new())));
    for (kind, key) in [
        (RevocationKind::Token, claims["from"][0]["jti"].as_str().unwrap().to_owned()),
        (RevocationKind::Token, claims["jti"].as_str().unwrap().to_owned()),
    ] {
        let mut world = World { snapshot: world.snapshot.clone(), view: world.view.clone(), ..World::new() };
        world.change(revocation(kind, &key));
        assert!(matches!(world.cache.verify(&world.view, &payments, &token, NOW), Err(TokenError::Revoked { .. })), "{kind:?}");
    }
    world.change(revocation(RevocationKind::Family, &family().to_string()));
    assert!(matches!(world.cache.verify(&world.view, &payments, &token, NOW), Err(TokenError::Revoked { .. })));
}

/// XCHG-002: it dies with its subject, with its actor, and with every credential and client between them.
#[test]
fn a_delegated_token_dies_with_whatever_it_hangs_on() {
    let probe = World::new();
    let claims = delegated(&probe);
    let token = probe.sign("JWT", &claims);
    let keys = [
        (RevocationKind::Token, claims["jti"].as_str().unwrap().to_owned()),
        (RevocationKind::Token, claims["from"][0]["jti"].as_str().unwrap().to_owned()),
        (RevocationKind::Family, family().to_string()),
        (RevocationKind::Session, session().to_string()),
        (RevocationKind::Subject, "alice-sub".to_owned()),
        (RevocationKind::Client, "web".to_owned()),
        (RevocationKind::Client, "payments-program".to_owned()),
        (RevocationKind::Key, probe.realm_key.kid().to_owned()),
        (RevocationKind::Realm, "main".to_owned()),
    ];
    for (kind, key) in keys {
        let mut world = World { snapshot: probe.snapshot.clone(), view: probe.view.clone(), ..World::new() };
        world.cache.verify(&world.view, &inventory(), &token, NOW).unwrap();
        world.change(revocation(kind, &key));
        let error = world.cache.verify(&world.view, &inventory(), &token, NOW).unwrap_err();
        assert!(matches!(error, TokenError::Revoked { .. }), "{kind:?} {key}: {error:?}");
    }
    for client in ["web", "payments-program"] {
        let mut world = World { snapshot: probe.snapshot.clone(), view: probe.view.clone(), ..World::new() };
        world.change(resource_version("main", json!({"kind": "client", "name": client, "disabled": true}), 2));
        assert_eq!(world.cache.verify(&world.view, &inventory(), &token, NOW).unwrap_err(), TokenError::ClientDisabled, "{client}");
    }
}

#[test]
fn a_subject_of_a_trusted_issuer_is_never_one_of_the_realms_own() {
    let mut world = World::new();
    let verify = |world: &World, token: String| world.cache.verify(&world.view, &inventory(), &token, NOW);
    let vouched = world.sign(
        "JWT",
        &with(with(with(world.program_claims(), "sub", json!("pipelines|main")), "svc", json!(null)), "kind", json!("client")),
    );
    assert_eq!(verify(&world, vouched).unwrap_err(), TokenError::IssuerNotTrusted, "nobody of that name is trusted");
    let issuer = json!({"kind": "trusted_issuer", "name": "pipelines", "issuer": "https://pipelines.example", "algorithms": ["ES256"],
        "jwks_uri": "https://pipelines.example/keys"});
    world.change(resource_version("main", issuer, 1));
    let foreign = |sub: &str, kind: Value| {
        let claims = with(world.program_claims(), "sub", json!(sub));
        world.sign("JWT", &with(with(claims, "svc", json!(null)), "kind", kind))
    };
    let verified = verify(&world, foreign("pipelines|main", json!("client"))).unwrap();
    assert_eq!((verified.principal().kind, verified.principal().id.as_str()), (PrincipalKind::Client, "pipelines|main"));
    for (sub, kind) in [("alice-sub", json!("user")), ("pipelines|main", json!(null)), ("pipelines|main", json!("root"))] {
        assert!(matches!(verify(&world, foreign(sub, kind.clone())), Err(TokenError::Claim(_))), "{sub} {kind}");
    }
}

/// XCHG-001: an `act` that nobody of ours makes is not read charitably.
#[test]
fn an_actor_that_is_malformed_or_too_deep_is_refused() {
    let world = World::new();
    let deep = (0..5).fold(json!({"sub": "a"}), |act, _| json!({"sub": "a", "act": act}));
    for act in [json!("payments"), json!({}), json!({"sub": 1}), json!([{"sub": "a"}]), deep] {
        let token = world.sign("JWT", &with(delegated(&world), "act", act.clone()));
        assert!(matches!(world.cache.verify(&world.view, &inventory(), &token, NOW), Err(TokenError::Claim(_))), "{act}");
    }
    let many: Vec<_> = (0..9).map(|_| json!({"jti": world.jti(NOW), "kid": world.realm_key.kid()})).collect();
    let token = world.sign("JWT", &with(delegated(&world), "from", json!(many)));
    assert!(world.cache.verify(&world.view, &inventory(), &token, NOW).is_err());
}
