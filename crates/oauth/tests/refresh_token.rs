use durward_base::{ClientId, Duration, Timestamp};
use durward_model::resource::{ClientAuthentication, Profile, Resource};
use durward_model::{GrantType, Write};
use durward_oauth::grant::refresh_token::{GRACE, RefreshToken, decide};
use durward_oauth::{Decision, Registry};
use proptest::prelude::*;

use crate::fixture::{NOW, Rows, World, denied, form, granted, jti};

/// The store, as far as one family goes: guards included.
fn commit(rows: &mut Rows, writes: &[Write]) -> bool {
    let family = &mut rows.family;
    for write in writes {
        match write {
            Write::RotateFamily { from, at, .. } if *from == family.generation && family.revoked.is_none() => {
                family.generation += 1;
                family.rotated = *at;
            }
            Write::RotateFamily { .. } => return false,
            Write::EndFamily { at, .. } => family.revoked = Some(*at),
            other => panic!("{other:?}"),
        }
    }
    true
}

fn next_text(world: &World, decision: Decision) -> String {
    world.mint(&granted(decision)).refresh_token.unwrap().expose().to_owned()
}

#[test]
fn a_public_clients_token_rotates_in_place() {
    let world = World::new();
    let mut rows = world.rows("web");
    let decision = world.refresh("web", &rows, 0, &[], NOW);
    let Decision::Issue { writes, .. } = &decision else { panic!("{decision:?}") };
    assert!(matches!(writes.as_slice(), [Write::RotateFamily { from: 0, .. }]), "one update, {writes:?}");
    assert!(commit(&mut rows, writes));
    assert_eq!(next_text(&world, decision), world.refresh_text(&rows, 1).expose());
    granted(world.refresh("web", &rows, 1, &[], NOW));
}

/// RT-010: a confidential client's token stays, and costs no write; made public, it rotates from then on.
#[test]
fn a_confidential_clients_token_stays_the_same() {
    let mut world = World::new();
    let rows = world.rows("portal");
    for hour in 0..9 {
        // FAPI 2.0 Security Profile 5.3.2.1: "shall not use refresh token rotation except in extraordinary circumstances".
        world.change_client("portal", |client| client.profile = (hour > 4).then_some(Profile::Fapi2Security));
        let decision = world.refresh("portal", &rows, 0, &[], NOW + Duration::from_secs(hour * 3600));
        let Decision::Issue { writes, .. } = &decision else { panic!("{decision:?}") };
        assert!(writes.is_empty(), "{writes:?}");
        assert_eq!(next_text(&world, decision), world.refresh_text(&rows, 0).expose());
    }
    world.change_client("portal", |client| client.authentication = ClientAuthentication::None);
    let Decision::Issue { writes, .. } = world.refresh("portal", &rows, 0, &[], NOW) else { panic!() };
    assert!(matches!(writes.as_slice(), [Write::RotateFamily { .. }]));
}

/// RT-009
#[test]
fn a_client_that_lost_the_answer_gets_the_same_successor() {
    let world = World::new();
    let mut rows = world.rows("web");
    let Decision::Issue { writes, grant, .. } = world.refresh("web", &rows, 0, &[], NOW) else { panic!() };
    commit(&mut rows, &writes);
    let first = world.mint(&grant).refresh_token.unwrap();
    let decision = world.refresh("web", &rows, 0, &[], NOW + GRACE);
    let Decision::Issue { writes, .. } = &decision else { panic!("{decision:?}") };
    assert!(writes.is_empty(), "nothing more to remember");
    assert_eq!(next_text(&world, decision), first.expose());
}

/// RT-001, RT-003: all it needs is the row; nothing depends on how long this process has run.
#[test]
fn a_token_that_comes_again_after_the_grace_ends_the_family() {
    let world = World::new();
    let mut rows = world.rows("web");
    (rows.family.generation, rows.family.rotated) = (1, NOW);
    let late = NOW + GRACE + Duration::from_millis(1);
    let decision = world.refresh("web", &rows, 0, &[], late);
    let Decision::Replay { error, writes, event } = decision else { panic!("{decision:?}") };
    assert_eq!((error.code.name(), error.reason), ("invalid_grant", "refresh_token.reused"));
    assert!(matches!(writes.as_slice(), [Write::EndFamily { reason: "refresh_reuse", .. }]));
    assert_eq!(event.session, Some(rows.session.id));
    commit(&mut rows, &writes);
    for generation in [0, 1, 2] {
        assert_eq!(denied(world.refresh("web", &rows, generation, &[], late)).reason, "family_ended", "{generation}");
    }
}

#[test]
fn two_generations_back_is_reuse_even_within_the_grace() {
    let world = World::new();
    let mut rows = world.rows("web");
    rows.family.generation = 2;
    assert!(matches!(world.refresh("web", &rows, 0, &[], NOW), Decision::Replay { .. }));
}

/// FLT: a generation from after the backup was taken is no theft. The row moves on to it, so that the ones before are.
#[test]
fn a_generation_ahead_of_the_row_is_adopted() {
    let world = World::new();
    let rows = world.rows("web");
    let Decision::Issue { writes, event, .. } = world.refresh("web", &rows, 7, &[], NOW) else { panic!("not issued") };
    assert!(matches!(writes.as_slice(), [Write::AdoptGeneration { generation: 7, .. }, Write::RotateFamily { from: 7, .. }]), "{writes:?}");
    assert_eq!(event.generation, Some(8));
}

/// RT-004
#[test]
fn a_token_of_another_client_is_refused_and_not_consumed() {
    let world = World::new();
    let rows = world.rows("web");
    assert_eq!(denied(world.refresh("portal", &rows, 0, &[], NOW)).reason, "refresh_token.client_mismatch");
    let mut unbound = rows.clone();
    unbound.family.client = ClientId::from_bytes([0; 16]);
    assert_eq!(denied(world.refresh("web", &unbound, 0, &[], NOW)).reason, "refresh_token.client_mismatch", "a row without a client");
    let mut reused = rows.clone();
    reused.family.generation = 5;
    assert_eq!(denied(world.refresh("portal", &reused, 0, &[], NOW)).reason, "refresh_token.client_mismatch", "and ends nothing");
}

/// RT-008
#[test]
fn rotation_never_extends_the_end() {
    let world = World::new();
    let mut rows = world.rows("web");
    let end = rows.family.expires;
    let mut now = NOW;
    let mut generation = 0;
    while now < end {
        let Decision::Issue { writes, grant, .. } = world.refresh("web", &rows, generation, &[], now) else { panic!("{now}") };
        commit(&mut rows, &writes);
        let minted = world.mint(&grant);
        assert!(now + Duration::from_secs(minted.expires_in) <= end, "no token outlives its family");
        generation += 1;
        now = now + Duration::from_secs(3600);
    }
    assert_eq!(rows.family.expires, end);
    assert!(["family_expired", "session_expired"].contains(&denied(world.refresh("web", &rows, generation, &[], end)).reason));
}

#[test]
fn a_forged_or_mangled_token_is_refused_before_anything_is_loaded() {
    let world = World::new();
    let text = world.refresh_text(&world.rows("web"), 0);
    let text = text.expose();
    for wrong in
        ["", "x", &text[1..], &text[..text.len() - 1], &format!("{text}A"), &text.to_uppercase(), &text.replace("dw_rt_", "dw_ac_")]
    {
        let error = RefreshToken::read(&form(&[("refresh_token", wrong)]), &world.handles, world.id()).unwrap_err();
        assert!(["invalid_grant", "invalid_request"].contains(&error.code.name()), "{wrong}");
    }
    let elsewhere = durward_base::RealmId::from_bytes([8; 16]);
    assert!(RefreshToken::read(&form(&[("refresh_token", text)]), &world.handles, elsewhere).is_err(), "AUTHZ-029");
}

#[test]
fn a_family_that_is_gone_is_refused() {
    let world = World::new();
    let parameters = form(&[("refresh_token", world.refresh_text(&world.rows("web"), 0).expose())]);
    let token = RefreshToken::read(&parameters, &world.handles, world.id()).unwrap();
    let decision = decide(&world, &parameters, &world.authenticated("web"), (token, None), jti(NOW), NOW);
    assert_eq!(denied(decision).reason, "refresh_token.family_unknown");
}

/// RFC 6749 section 6
#[test]
fn scopes_may_be_narrowed_and_never_widened() {
    let world = World::new();
    let rows = world.rows("web");
    let minted = world.mint(&granted(world.refresh("web", &rows, 0, &[("scope", "orders:read")], NOW)));
    assert_eq!(minted.scope, "orders:read");
    assert!(minted.id_token.is_none(), "openid was not asked for");
    for scope in ["orders:read orders:write", "email", "openid  profile"] {
        assert_eq!(denied(world.refresh("web", &rows, 0, &[("scope", scope)], NOW)).code.name(), "invalid_scope", "{scope}");
    }
    assert_eq!(denied(world.refresh("web", &rows, 0, &[("resource", "inventory")], NOW)).code.name(), "invalid_target");
}

/// RT-005: one row for each thing that may change under a grant.
#[test]
fn a_refresh_after_something_changed_is_refused() {
    type Change = fn(&mut World, &mut Rows);
    let cases: &[(&str, &str, Change)] = &[
        ("person disabled", "person_disabled", |_, rows| rows.person.disabled = true),
        ("password reset ended the logins", "session_ended", |_, rows| rows.session.revoked = Some(NOW)),
        ("signed out everywhere", "session_ended", |world, rows| {
            world.revoke(durward_model::RevocationKind::Session, rows.session.id.to_string(), NOW);
        }),
        ("session over", "session_expired", |_, rows| rows.session.expires = NOW),
        ("family revoked by row", "family_ended", |_, rows| rows.family.revoked = Some(NOW)),
        ("family revoked by feed", "family_ended", |world, rows| {
            world.revoke(durward_model::RevocationKind::Family, rows.family.id.to_string(), NOW);
        }),
        ("family over", "family_expired", |_, rows| rows.family.expires = NOW),
        ("consent revoked", "consent_missing", |_, rows| rows.consent = None),
        ("consent narrowed", "consent_missing", |_, rows| rows.consent.as_mut().unwrap().scopes = vec!["openid".into()]),
        ("consent for another audience", "consent_missing", |_, rows| rows.consent.as_mut().unwrap().audience = "inventory".into()),
        ("offline_access removed", "scope_lost", |world, rows| {
            rows.family.scopes = vec!["openid".into(), "offline_access".into()];
            world.change_client("portal", |client| client.scopes = vec!["openid".into()]);
        }),
        ("every scope removed", "scope_lost", |world, _| world.change_client("portal", |client| client.scopes.clear())),
        ("grant removed", "grant_not_allowed", |world, _| {
            world.change_client("portal", |client| client.grants = vec![GrantType::AuthorizationCode]);
        }),
        ("service disabled", "service_unavailable", |world, _| world.change_service("payments", |service| service.disabled = true)),
        ("service deleted", "service_unavailable", |world, _| world.remove("payments")),
        ("service taken from the client", "audience_not_allowed", |world, _| {
            world.change_client("portal", |client| client.services = vec!["inventory".into()]);
        }),
        ("realm disabled", "realm_disabled", |world, _| world.realm.disabled = true),
        ("rows of another person", "not_theirs", |_, rows| rows.session.person = durward_base::PersonId::from_bytes([0; 16])),
        ("rows of another realm", "not_theirs", |_, rows| rows.person.realm = "other".into()),
    ];
    for (case, reason, change) in cases {
        let mut world = World::new();
        let mut rows = world.rows("portal");
        change(&mut world, &mut rows);
        let error = denied(world.refresh("portal", &rows, 0, &[], NOW));
        assert_eq!(error.reason, *reason, "{case}");
        assert!(["invalid_grant", "unauthorized_client"].contains(&error.code.name()), "{case}");
    }
}

/// RT-005: the client is disabled between its authentication and the decision.
#[test]
fn a_disabled_client_is_refused_by_the_gate_as_well() {
    let mut world = World::new();
    let rows = world.rows("portal");
    let mut metadata = world.client("portal").unwrap().metadata.clone();
    metadata.disabled = true;
    let before = World::new();
    let client = before.authenticated("portal");
    world.put(Resource::Client(metadata));
    let client_now = world.client("portal").unwrap();
    let applicant = durward_oauth::eligibility::Applicant {
        client: client_now,
        grant: GrantType::RefreshToken,
        audience: "payments",
        scopes: &rows.family.scopes,
        holder: rows.lineage().into(),
    };
    assert_eq!(client.registered().id, client_now.id);
    let ineligible = durward_oauth::eligibility::eligibility(&world, applicant, NOW).unwrap_err();
    assert_eq!(ineligible.reason(), "client_disabled");
}

/// RT-005: a lost role or scope is missing from the next token.
#[test]
fn roles_and_scopes_are_those_of_now() {
    let mut world = World::new();
    let mut rows = world.rows("web");
    let token = |world: &World, rows: &Rows| crate::fixture::claims(&world.minted("web", rows).access_token);
    assert_eq!(token(&world, &rows)["roles"], serde_json::json!(["clerk", "customer"]));
    rows.person.groups.clear();
    assert_eq!(token(&world, &rows)["roles"], serde_json::json!(["customer"]));
    world.change_client("web", |client| client.scopes = vec!["openid".into()]);
    assert_eq!(token(&world, &rows)["scope"], "openid");
}

proptest! {
    /// However requests come, one lineage of tokens is ever good, and theft ends it: the reference is a list of generations handed out.
    #[test]
    fn at_most_one_lineage_is_ever_good(steps in proptest::collection::vec((0_u32..4, 0_u64..15), 1..40)) {
        let world = World::new();
        let mut rows = world.rows("web");
        let mut now: Timestamp = NOW;
        for (back, seconds) in steps {
            now = now + Duration::from_secs(seconds);
            let (current, rotated, dead) = (rows.family.generation, rows.family.rotated, rows.family.revoked.is_some());
            let presented = current.saturating_sub(back);
            let back = current - presented;
            let decision = world.refresh("web", &rows, presented, &[], now);
            match decision {
                Decision::Issue { grant, writes, .. } => {
                    prop_assert!(!dead && (back == 0 || (back == 1 && now.since(rotated) <= GRACE)));
                    prop_assert!(commit(&mut rows, &writes));
                    let text = world.mint(&grant).refresh_token.unwrap();
                    prop_assert_eq!(text, world.refresh_text(&rows, rows.family.generation));
                    prop_assert_eq!(rows.family.generation, if back == 0 { current + 1 } else { current });
                }
                Decision::Replay { writes, .. } => {
                    prop_assert!(!dead && (back > 1 || (back == 1 && now.since(rotated) > GRACE)));
                    prop_assert!(commit(&mut rows, &writes));
                    prop_assert!(rows.family.revoked.is_some());
                }
                Decision::Deny { writes, .. } => prop_assert!(dead && writes.is_empty()),
                Decision::Wait { .. } => prop_assert!(false),
            }
        }
    }

    /// FLT: of two that decided on the same row, one commits; the other decides again and gets the same successor.
    #[test]
    fn two_at_once_get_one_successor(generation in 0_u32..100) {
        let world = World::new();
        let mut rows = world.rows("web");
        rows.family.generation = generation;
        let [first, second] = [(); 2].map(|()| world.refresh("web", &rows, generation, &[], NOW));
        let (Decision::Issue { writes: first, grant, .. }, Decision::Issue { writes: second, .. }) = (first, second) else { panic!() };
        prop_assert!(commit(&mut rows, &first));
        prop_assert!(!commit(&mut rows, &second));
        let again = next_text(&world, world.refresh("web", &rows, generation, &[], NOW));
        let winner = world.mint(&grant).refresh_token.unwrap();
        prop_assert_eq!(again.as_str(), winner.expose());
    }
}
