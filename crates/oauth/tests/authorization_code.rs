use durward_base::{ClientId, Duration, FamilyId, RealmId, Timestamp};
use durward_model::Write;
use durward_model::write::Spent;
use durward_oauth::authorize::{AuthorizationRequest, Issuance, IssueFacts, issue};
use durward_oauth::code::Code;
use durward_oauth::grant::authorization_code::{Facts, decide};
use durward_oauth::{Decision, OAuthError, Parameters, Registry};

use crate::fixture::{CHALLENGE, NOW, Rows, VERIFIER, World, claims, denied, form, granted, header, jti, with};

/// A code of Alice for `web`, and the rows it stands on.
struct Issued {
    text: String,
    rows: Rows,
}

const REDIRECT_URI: &str = "https://shop.example/callback";

fn issued(world: &World) -> Issued {
    let fields = [
        ("client_id", "web"),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", "openid orders:read"),
        ("nonce", "n-0S6"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let request = AuthorizationRequest::read(&form(&fields), world, NOW).unwrap();
    let mut rows = world.rows("web");
    let facts = IssueFacts { person: &rows.person, session: &rows.session, consent: None, consented: false };
    let Issuance::Issue { code, mut writes, .. } = issue(&request, world, facts, (FamilyId::from_bytes([0xc0; 16]), jti(NOW)), NOW) else {
        panic!()
    };
    let Some(Write::OpenFamily(family)) = writes.pop() else { panic!() };
    rows.family = family;
    Issued { text: code.seal(&world.states, world.id(), &world.rng).unwrap(), rows }
}

fn fields(issued: &Issued) -> Vec<(&str, &str)> {
    vec![("code", &issued.text), ("redirect_uri", REDIRECT_URI), ("code_verifier", VERIFIER)]
}

fn redeem(world: &World, client: &str, parameters: &Parameters, facts: Facts<'_>, now: Timestamp) -> Result<Decision, OAuthError> {
    let code = Code::read(parameters, &world.states, world.id(), now)?;
    Ok(decide(world, parameters, &world.authenticated(client), (&code, facts), jti(now), now))
}

#[test]
fn a_code_buys_tokens_and_is_spent_by_the_same_commit() {
    let world = World::new();
    let issued = issued(&world);
    let decision = redeem(&world, "web", &form(&fields(&issued)), issued.rows.code_facts(), NOW).unwrap();
    let Decision::Issue { grant, writes, event } = decision else { panic!("{decision:?}") };
    let [Write::Spend { what: Spent::Code, id, expires, .. }] = writes.as_slice() else { panic!("{writes:?}") };
    assert_eq!((*id, *expires), (issued.rows.family.id.to_bytes(), NOW + Duration::from_secs(60)));
    let minted = world.mint(&grant);
    assert_eq!(event.issued, Some(minted.jti.to_string()));
    assert_eq!(event.family, Some(issued.rows.family.id));
    assert!(minted.refresh_token.is_some());
    assert_eq!(claims(&minted.access_token)["scope"], "openid orders:read");
    assert_eq!(header(&minted.id_token.unwrap())["alg"], "RS256");
}

/// CODE-004, CODE-006, CODE-007, CODE-008, CODE-009: each binding broken alone.
#[test]
fn a_code_with_one_binding_broken_is_refused_and_not_spent() {
    let world = World::new();
    let issued = issued(&world);
    let good = fields(&issued);
    for (attack, client, changes, reason) in [
        ("CODE-004 another client", "portal", vec![], "code.client_mismatch"),
        ("CODE-006 no verifier", "web", vec![("code_verifier", "")], "code.verifier_mismatch"),
        ("CODE-006 the challenge as verifier", "web", vec![("code_verifier", CHALLENGE)], "code.verifier_mismatch"),
        ("CODE-006 a short verifier", "web", vec![("code_verifier", "short")], "code.verifier_mismatch"),
        (
            "CODE-007 another's verifier",
            "web",
            vec![("code_verifier", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")],
            "code.verifier_mismatch",
        ),
        ("CODE-009 another address", "web", vec![("redirect_uri", "http://127.0.0.1/callback")], "code.redirect_uri_mismatch"),
        ("CODE-009 almost the address", "web", vec![("redirect_uri", "https://shop.example/callback/")], "code.redirect_uri_mismatch"),
    ] {
        let parameters = form(&with(&good, &changes));
        let error = denied(redeem(&world, client, &parameters, issued.rows.code_facts(), NOW).unwrap());
        assert_eq!((error.code.name(), error.reason), ("invalid_grant", reason), "{attack}");
    }
}

/// CODE-009: OAuth 2.1 no longer asks for it; PKCE binds the code.
#[test]
fn the_address_may_be_left_out_at_the_token_endpoint() {
    let world = World::new();
    let issued = issued(&world);
    let parameters = form(&with(&fields(&issued), &[("redirect_uri", "")]));
    granted(redeem(&world, "web", &parameters, issued.rows.code_facts(), NOW).unwrap());
}

/// CODE-008
#[test]
fn a_code_is_good_for_less_than_sixty_seconds() {
    let world = World::new();
    let issued = issued(&world);
    let parameters = form(&fields(&issued));
    let at = |seconds| redeem(&world, "web", &parameters, issued.rows.code_facts(), NOW + Duration::from_secs(seconds));
    granted(at(59).unwrap());
    for seconds in [60, 61, 86_400] {
        assert_eq!(at(seconds).unwrap_err().reason, "code.expired", "{seconds}");
    }
}

/// CODE-004, AUTHZ-029, SEC: forged, mangled, of another realm.
#[test]
fn a_code_that_was_not_made_here_for_this_realm_is_refused() {
    let world = World::new();
    let issued = issued(&world);
    assert!(Code::read(&form(&fields(&issued)), &world.states, RealmId::from_bytes([8; 16]), NOW).is_err());
    let mut texts = vec![String::from("x"), "A".repeat(200), format!("{}A", issued.text), issued.text[1..].to_owned()];
    for index in (0..issued.text.len()).step_by(7) {
        let mut mangled = issued.text.clone().into_bytes();
        mangled[index] = if mangled[index] == b'A' { b'B' } else { b'A' };
        texts.push(String::from_utf8(mangled).unwrap());
    }
    for text in texts {
        let error = Code::read(&form(&[("code", &text)]), &world.states, world.id(), NOW).unwrap_err();
        assert_eq!(error.code.name(), "invalid_grant", "{text}");
    }
    assert_eq!(Code::read(&form(&[]), &world.states, world.id(), NOW).unwrap_err().code.name(), "invalid_request");
}

/// CODE-003: the second of two requests that both prove everything.
#[test]
fn a_code_that_is_replayed_rightly_ends_what_it_bought() {
    let world = World::new();
    let issued = issued(&world);
    let facts = Facts { spent: true, ..issued.rows.code_facts() };
    let decision = redeem(&world, "web", &form(&fields(&issued)), facts, NOW + Duration::from_secs(1)).unwrap();
    let Decision::Replay { error, writes, event } = decision else { panic!("{decision:?}") };
    assert_eq!((error.code.name(), error.reason), ("invalid_grant", "code.replayed"));
    assert!(matches!(writes.as_slice(), [Write::EndFamily { family, reason: "code_replay", .. }] if *family == issued.rows.family.id));
    assert_eq!(event.family, Some(issued.rows.family.id));
}

/// CODE-002: who cannot prove everything can neither use a code nor end what it bought.
#[test]
fn a_replay_that_proves_too_little_revokes_nothing() {
    let world = World::new();
    let issued = issued(&world);
    for spent in [false, true] {
        let facts = Facts { spent, ..issued.rows.code_facts() };
        for (client, changes) in [
            ("web", vec![("code_verifier", "")]),
            ("web", vec![("code_verifier", CHALLENGE)]),
            ("web", vec![("redirect_uri", "https://evil.example/")]),
            ("portal", vec![]),
        ] {
            let decision = redeem(&world, client, &form(&with(&fields(&issued), &changes)), facts, NOW).unwrap();
            assert_eq!(denied(decision).code.name(), "invalid_grant", "{client} {changes:?} spent={spent}");
        }
    }
}

/// FLT: a restored backup may have forgotten what was spent.
#[test]
fn a_code_issued_before_a_restore_is_dead() {
    let world = World::new();
    let issued = issued(&world);
    let redeemed = |restored| {
        let facts = Facts { restored: Some(restored), ..issued.rows.code_facts() };
        redeem(&world, "web", &form(&fields(&issued)), facts, NOW + Duration::from_secs(5)).unwrap()
    };
    assert_eq!(denied(redeemed(NOW + Duration::from_secs(1))).reason, "code.before_restore");
    granted(redeemed(NOW - Duration::from_secs(1)));
}

/// TOK-006: a code granted for one service is not redeemed for another.
#[test]
fn a_code_is_redeemed_for_the_resource_it_was_granted_for() {
    let world = World::new();
    let issued = issued(&world);
    let with_resource = |resource| {
        let parameters = form(&with(&fields(&issued), &[("resource", resource)]));
        redeem(&world, "web", &parameters, issued.rows.code_facts(), NOW).unwrap()
    };
    granted(with_resource("payments"));
    assert_eq!(denied(with_resource("inventory")).code.name(), "invalid_target");
}

#[test]
fn a_code_whose_rows_are_gone_is_refused() {
    let world = World::new();
    let issued = issued(&world);
    let facts = Facts { lineage: None, ..issued.rows.code_facts() };
    assert_eq!(denied(redeem(&world, "web", &form(&fields(&issued)), facts, NOW).unwrap()).reason, "code.family_unknown");
}

/// R12, R13: a family row that names another client id is another client's, whatever its name.
#[test]
fn a_code_never_outlives_the_client_it_was_issued_to() {
    let world = World::new();
    let mut issued = issued(&world);
    issued.rows.family.client = ClientId::from_bytes([0; 16]);
    assert_eq!(denied(redeem(&world, "web", &form(&fields(&issued)), issued.rows.code_facts(), NOW).unwrap()).reason, "not_theirs");
}

proptest::proptest! {
    /// Any combination of faults is refused; only none is not.
    #[test]
    fn checks_are_and_of_valid(wrong_client: bool, wrong_address: bool, wrong_verifier: bool, late: bool, restored: bool, spent: bool) {
        let world = World::new();
        let issued = issued(&world);
        let mut changes = Vec::new();
        if wrong_address { changes.push(("redirect_uri", "https://evil.example/")); }
        if wrong_verifier { changes.push(("code_verifier", CHALLENGE)); }
        let facts = Facts { spent, restored: restored.then_some(NOW), ..issued.rows.code_facts() };
        let client = if wrong_client { "portal" } else { "web" };
        let now = NOW + Duration::from_secs(if late { 60 } else { 30 });
        let decision = redeem(&world, client, &form(&with(&fields(&issued), &changes)), facts, now);
        let faultless = !(wrong_client || wrong_address || wrong_verifier || late || restored);
        proptest::prop_assert_eq!(matches!(decision, Ok(Decision::Issue { .. })), faultless && !spent);
        proptest::prop_assert_eq!(matches!(decision, Ok(Decision::Replay { .. })), faultless && spent);
    }
}
