//! Access tokens of an issuer that the realm trusts: asked of the authority, and dead when the trust is.

use durward_base::Duration;
use durward_enforce::{Consumer, Freshness, Head, Known, Possession, Presented, TokenError, realm_issuer};
use durward_jose::{Algorithm, SigningKey};
use durward_model::resolve::{Resolution, ResolveRequest, Resolved};
use durward_model::{Assurance, BoundKey, CredentialFacts, CredentialKind, CredentialLimits, PrincipalKind, RevocationKind};
use serde_json::{Value, json};

use crate::fixture::{AUTHORITY, NOW, World, resource_version, revocation, with};

const FOREIGN: &str = "https://partner.example";

fn declared(changes: &[(&str, Value)]) -> Value {
    let declared = json!({"kind": "trusted_issuer", "name": "partner", "issuer": FOREIGN, "jwks_uri": "https://partner.example/keys",
        "algorithms": ["ES256"], "access_tokens": {"audiences": {"https://pay.example": "payments"}}});
    changes.iter().fold(declared, |declared, (name, value)| with(declared, name, value.clone()))
}

fn world() -> World {
    let mut world = World::new();
    world.change(resource_version("main", declared(&[]), 1));
    world
}

fn token(issuer: &str) -> String {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    key.sign("at+jwt", &json!({"iss": issuer, "sub": "dora", "aud": "https://pay.example", "exp": NOW.seconds() + 60})).unwrap()
}

fn answer(world: &World, bound_key: Option<BoundKey>) -> Resolution {
    let kind = if bound_key.is_some() { CredentialKind::BoundToken } else { CredentialKind::Jwt };
    let credential = CredentialFacts {
        kind,
        id: world.jti(NOW),
        issuer: FOREIGN.to_owned(),
        family: None,
        session: None,
        client: None,
        key: Some("k1".to_owned()),
        bound_key,
        issued: NOW,
        expires: NOW + Duration::from_secs(60),
    };
    Resolution::Proved(Box::new(Resolved {
        kind: PrincipalKind::User,
        id: "partner|dora".to_owned(),
        roles: vec!["clerk".to_owned()],
        scopes: Vec::new(),
        assurance: Assurance::default(),
        audience: "payments".to_owned(),
        limits: CredentialLimits::default(),
        credential,
        made: NOW,
        until: NOW + Duration::from_secs(60),
    }))
}

fn present(world: &World, text: &str, audience: &str) -> Result<Known, TokenError> {
    let authorization = format!("Bearer {text}");
    let head = Head { method: "GET", target: "/", authority: "", headers: vec![("authorization", authorization.as_bytes())] };
    let accepted = [CredentialKind::Jwt, CredentialKind::BoundToken];
    let evidence = Presented::read(&head, "main").unwrap().unwrap().evidence(&accepted).unwrap();
    let freshness = Freshness::new(&world.rng);
    let possession = Possession::of(&head, Vec::new(), None, &freshness);
    world.cache.prove_or_ask(&world.view, &Consumer::entrance("main", audience), (evidence, &possession), NOW)
}

fn asked(known: Result<Known, TokenError>) -> ResolveRequest {
    match known {
        Ok(Known::Ask(request)) => request,
        other => panic!("expected a question, found {other:?}"),
    }
}

#[test]
fn only_what_a_trusted_issuer_could_have_made_for_that_service_is_asked_about() {
    let mut world = world();
    let good = token(FOREIGN);
    assert_eq!(asked(present(&world, &good, "payments")).kind, CredentialKind::Jwt);
    assert_eq!(present(&world, &good, "inventory").unwrap_err(), TokenError::KeyUnknown, "none of its audiences is that service");
    for other in ["https://elsewhere.example", &realm_issuer(AUTHORITY, "main"), &realm_issuer(AUTHORITY, "other")] {
        assert_eq!(present(&world, &token(other), "payments").unwrap_err(), TokenError::KeyUnknown, "{other}");
    }
    let authority = Consumer::authority("main");
    assert_eq!(
        world.cache.verify(&world.view, &authority, &good, NOW).unwrap_err(),
        TokenError::KeyUnknown,
        "nothing of the authority's own"
    );
    for change in [("disabled", json!(true)), ("access_tokens", json!(null))] {
        world.change(resource_version("main", declared(&[change]), 2));
        assert_eq!(present(&world, &good, "payments").unwrap_err(), TokenError::KeyUnknown);
    }
}

#[test]
fn what_was_said_of_it_ends_with_the_trust_in_its_issuer() {
    let mut world = world();
    let text = token(FOREIGN);
    let request = asked(present(&world, &text, "payments"));
    assert!(!format!("{request:?}").contains(&text), "never the credential");
    let said = answer(&world, None);
    world.cache.take_in(&world.view, &request, &said).unwrap();
    let Ok(Known::Proved(proved)) = present(&world, &text, "payments") else { panic!("it is known") };
    let identity = world.gateway.token(&proved.verified, "inventory", "dw-id+jwt", NOW, &world.rng).unwrap();
    let identity = identity.authorization().to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    let inventory = Consumer::service("main", "inventory");
    assert_eq!(world.cache.verify(&world.view, &inventory, &identity, NOW).unwrap().principal().id, "partner|dora");

    world.change(revocation(RevocationKind::Realm, "main"));
    asked(present(&world, &text, "payments"));
    world.change(resource_version("main", declared(&[("disabled", json!(true))]), 2));
    assert!(present(&world, &text, "payments").is_err());
    assert!(world.cache.take_in(&world.view, &request, &said).is_err(), "an answer that comes too late");
    assert!(world.cache.verify(&world.view, &inventory, &identity, NOW).is_err(), "the identity token that stands for it");
}

#[test]
fn a_disabled_issuers_token_is_dead_without_any_watermark() {
    let mut world = world();
    let text = token(FOREIGN);
    let request = asked(present(&world, &text, "payments"));
    world.cache.take_in(&world.view, &request, &answer(&world, None)).unwrap();
    let Ok(Known::Proved(proved)) = present(&world, &text, "payments") else { panic!("it is known") };
    assert!(proved.verified.stands(&world.view));
    world.change(resource_version("main", declared(&[("disabled", json!(true))]), 2));
    assert!(!proved.verified.stands(&world.view), "a stream that goes on is cut");
}

#[test]
fn one_that_is_bound_to_a_key_is_good_for_its_holder_alone() {
    let world = world();
    let text = token(FOREIGN);
    let request = asked(present(&world, &text, "payments"));
    world.cache.take_in(&world.view, &request, &answer(&world, Some(BoundKey::Jwk("a".repeat(43))))).unwrap();
    assert_eq!(present(&world, &text, "payments").unwrap_err(), TokenError::Bound);
}
