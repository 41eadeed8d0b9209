//! Credentials that the authority is asked about.

use durward_base::Duration;
use durward_enforce::{Consumer, Freshness, Head, Known, Possession, Presented, Refusal, TokenError, realm_issuer};
use durward_model::resolve::{Resolution, ResolveRequest, Resolved};
use durward_model::{Assurance, CredentialFacts, CredentialKind, CredentialLimits, PrincipalKind, RevocationKind};

use crate::fixture::{AUTHORITY, NOW, World, revocation};

/// The checksum is right; whether it is authentic only the authority knows.
fn text() -> String {
    let handle = format!("dw_pat_{}", "A".repeat(52));
    format!("{handle}_{}", durward_seal::checksum(&handle))
}

fn answer(world: &World) -> (String, Resolution) {
    let id = world.jti(NOW - Duration::from_secs(86_400));
    let credential = CredentialFacts {
        kind: CredentialKind::OpaqueToken,
        id: id.clone(),
        issuer: realm_issuer(AUTHORITY, "main"),
        family: None,
        session: None,
        client: None,
        key: None,
        bound_key: None,
        issued: NOW - Duration::from_secs(86_400),
        expires: NOW + Duration::from_secs(300),
    };
    let resolved = Resolved {
        kind: PrincipalKind::User,
        id: "alice-sub".into(),
        roles: vec!["clerk".into()],
        scopes: vec!["order".into()],
        assurance: Assurance::default(),
        audience: "payments".into(),
        limits: CredentialLimits::default(),
        credential,
        made: NOW,
        until: NOW + Duration::from_secs(300),
    };
    (id, Resolution::Proved(Box::new(resolved)))
}

fn present(world: &World, text: &str, audience: &str, now: durward_base::Timestamp) -> Result<Known, TokenError> {
    let authorization = format!("Bearer {text}");
    let headers = vec![("authorization", authorization.as_bytes())];
    let head = Head { method: "GET", target: "/", authority: "", headers };
    let token = Presented::read(&head, "main").unwrap().unwrap().evidence(&[CredentialKind::OpaqueToken]).unwrap();
    let freshness = Freshness::new(&world.rng);
    let possession = Possession::of(&head, Vec::new(), None, &freshness);
    world.cache.prove_or_ask(&world.view, &Consumer::entrance("main", audience), (token, &possession), now)
}

fn asked(known: Result<Known, TokenError>) -> ResolveRequest {
    match known {
        Ok(Known::Ask(request)) => request,
        other => panic!("expected a question, found {other:?}"),
    }
}

#[test]
fn what_is_no_credential_of_ours_is_asked_of_nobody() {
    let world = World::new();
    let good = text();
    for wrong in ["AAAA", &good[..good.len() - 1], &format!("{good}A"), &good.replace("AAAA", "AAAB")] {
        assert_eq!(present(&world, wrong, "payments", NOW).unwrap_err(), TokenError::Unknown, "{wrong}");
    }
}

#[test]
fn what_the_authority_said_holds_until_its_time_a_watermark_or_a_revocation() {
    let mut world = World::new();
    let request = asked(present(&world, &text(), "payments", NOW));
    assert!(!format!("{request:?}").contains("dw_pat_"), "never the credential");
    let (id, said) = answer(&world);
    assert_eq!(world.cache.take_in(&world.view, &request, &Resolution::Refused), Err(Refusal::Token(TokenError::Unknown)));
    world.cache.take_in(&world.view, &request, &said).unwrap();
    let Ok(Known::Proved(proved)) = present(&world, &text(), "payments", NOW) else { panic!("it is known") };
    assert_eq!(proved.verified.principal().roles, ["clerk"]);
    assert!(matches!(present(&world, &text(), "inventory", NOW), Err(TokenError::WrongAudience { .. })));

    asked(present(&world, &text(), "payments", NOW + Duration::from_secs(300)));
    world.cache.take_in(&world.view, &request, &said).unwrap();
    world.change(revocation(RevocationKind::Subject, "alice-sub"));
    asked(present(&world, &text(), "payments", NOW));
    assert!(world.cache.take_in(&world.view, &request, &said).is_err(), "an answer from before the watermark");

    let mut world = World::new();
    world.cache.take_in(&world.view, &request, &said).unwrap();
    world.change(revocation(RevocationKind::Token, &id));
    let dead = present(&world, &text(), "payments", NOW).unwrap_err();
    assert!(matches!(dead, TokenError::Revoked { kind: RevocationKind::Token, .. }), "{dead:?}");
}

#[test]
fn an_identity_token_that_stands_for_it_dies_with_it() {
    let mut world = World::new();
    let request = asked(present(&world, &text(), "payments", NOW));
    let (id, said) = answer(&world);
    world.cache.take_in(&world.view, &request, &said).unwrap();
    let Ok(Known::Proved(proved)) = present(&world, &text(), "payments", NOW) else { panic!("it is known") };
    let token = world.gateway.token(&proved.verified, "inventory", "dw-id+jwt", NOW, &world.rng).unwrap();
    let text = token.authorization().to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    let consumer = Consumer::service("main", "inventory");
    let verified = world.cache.verify(&world.view, &consumer, &text, NOW).unwrap();
    assert_eq!(verified.principal().id, "alice-sub");
    world.change(revocation(RevocationKind::Token, &id));
    assert!(world.cache.verify(&world.view, &consumer, &text, NOW).is_err());
}
