use durward_base::{Duration, FamilyId, Timestamp};
use durward_model::resource::{ClientAuthentication, Trust};
use durward_model::{GrantType, RevocationKind, Write};
use durward_oauth::acr::Level;
use durward_oauth::authorize::{
    AuthorizationRequest, AuthorizationResponse, Delivery, Issuance, IssueFacts, Login, Next, Progress, Refusal, issue, next,
};
use durward_oauth::{Parameters, Registry, code::Code};

use crate::fixture::{CHALLENGE, ISSUER, NOW, Rows, World, alice, form, granted, jti, keys, with};

const GOOD: [(&str, &str); 7] = [
    ("client_id", "web"),
    ("redirect_uri", "https://shop.example/callback"),
    ("response_type", "code"),
    ("scope", "openid orders:read"),
    ("state", "af0ifjsldkj"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

fn read(world: &World, changes: &[(&str, &str)]) -> Result<AuthorizationRequest, Refusal> {
    AuthorizationRequest::read(&form(&with(&GOOD, changes)), world, NOW)
}

fn portal(world: &World, changes: &[(&str, &str)]) -> Result<AuthorizationRequest, Refusal> {
    let as_portal = [("client_id", "portal"), ("redirect_uri", "https://portal.example/callback")];
    read(world, &with(&as_portal, changes))
}

fn login(subject: &str, fresh: bool) -> Progress<'_> {
    Progress { login: Some(login_at(subject, fresh, NOW)), ..Progress::default() }
}

fn login_at(subject: &str, fresh: bool, auth_time: Timestamp) -> Login<'_> {
    Login { subject, auth_time, fresh, level: Some(Level::Password), strongest: Level::Password }
}

/// Where a response goes that needs no keys.
fn location(world: &World, response: AuthorizationResponse) -> String {
    let Delivery::Redirect(location) = response.deliver(world, &keys().ring, NOW).unwrap() else { panic!("expected a redirect") };
    location
}

#[test]
fn a_good_request_is_read_as_it_is() {
    let request = read(&World::new(), &[("nonce", "n-0S6_WzA2Mj"), ("max_age", "60"), ("login_hint", "alice")]).unwrap();
    assert_eq!(request.client_id, "web");
    assert_eq!(request.redirect_uri, "https://shop.example/callback");
    assert_eq!(request.scopes, ["openid", "orders:read"]);
    assert_eq!(request.audience, "payments", "the client's first service");
    assert_eq!(request.nonce.as_deref(), Some("n-0S6_WzA2Mj"));
    assert_eq!(request.max_age(), Some(Duration::from_secs(60)));
}

#[test]
fn a_request_survives_being_sealed() {
    let request = read(&World::new(), &[("prompt", "login consent")]).unwrap();
    let bytes = minicbor::to_vec(&request).unwrap();
    assert_eq!(minicbor::decode::<AuthorizationRequest>(&bytes).unwrap(), request);
}

/// AUTHZ-003, AUTHZ-005, AUTHZ-007, AUTHZ-008, AUTHZ-029: without a known client and its own address nothing is ever sent anywhere.
#[test]
fn a_wrong_client_or_address_is_told_on_our_own_page() {
    let mut world = World::new();
    world.change_client("inventory-program", |client| client.disabled = true);
    for (attack, changes) in [
        ("no client", vec![("client_id", "")]),
        ("unknown client", vec![("client_id", "nobody")]),
        ("disabled client", vec![("client_id", "inventory-program")]),
        ("AUTHZ-029 client of another realm", vec![("client_id", "web@other")]),
        ("another client's address", vec![("redirect_uri", "https://portal.example/callback")]),
        ("no address where several are registered", vec![("redirect_uri", "")]),
        ("a client without any address", vec![("client_id", "payments-program"), ("redirect_uri", "")]),
        ("AUTHZ-003", vec![("redirect_uri", "https://shop.example@evil.example/callback")]),
        ("AUTHZ-003", vec![("redirect_uri", "https://shop.example\\@evil.example/callback")]),
        ("AUTHZ-003", vec![("redirect_uri", "https://evil.example#@shop.example/callback")]),
        ("AUTHZ-005", vec![("redirect_uri", "javascript:alert(1)")]),
        ("AUTHZ-005", vec![("redirect_uri", " https://shop.example/callback")]),
        ("AUTHZ-006", vec![("redirect_uri", "https://shop.example/callback/deeper")]),
        ("AUTHZ-007", vec![("redirect_uri", "http://localhost:49152/callback")]),
    ] {
        let refusal = read(&world, &changes).expect_err(attack);
        assert!(matches!(refusal, Refusal::Page(error) if error.code.name() == "invalid_request"), "{attack}: {refusal:?}");
    }
    world.realm.disabled = true;
    assert!(matches!(read(&world, &[]), Err(Refusal::Page(_))));
}

/// AUTHZ-008: a duplicate never becomes a request at all.
#[test]
fn duplicates_are_refused_before_anything_is_looked_at() {
    for name in ["client_id", "redirect_uri", "state", "code_challenge", "request_uri", "scope"] {
        let query = format!("{name}=a&{name}=b");
        assert_eq!(Parameters::parse(&[query.as_bytes()]).unwrap_err().code.name(), "invalid_request", "{name}");
        let (query, body) = (format!("{name}=a"), format!("{name}=a"));
        assert!(Parameters::parse(&[query.as_bytes(), body.as_bytes()]).is_err(), "{name} in query and body");
    }
}

/// AUTHZ-013, AUTHZ-014, AUTHZ-023, TOK-006, TOK-007: what the client is told, and how.
#[test]
fn any_other_mistake_goes_back_to_the_client() {
    let world = World::new();
    let long = "x".repeat(513);
    let scopes = (0..2000).map(|n| format!("s{n}")).collect::<Vec<_>>().join(" ");
    for (attack, changes, code) in [
        ("AUTHZ-013", vec![("response_type", "token")], "unsupported_response_type"),
        ("AUTHZ-013", vec![("response_type", "id_token token")], "unsupported_response_type"),
        ("AUTHZ-013", vec![("response_type", "none")], "unsupported_response_type"),
        ("AUTHZ-013", vec![("response_type", "")], "invalid_request"),
        ("AUTHZ-013", vec![("response_mode", "fragment")], "invalid_request"),
        ("AUTHZ-013", vec![("response_mode", "web_message")], "invalid_request"),
        ("AUTHZ-014", vec![("code_challenge", "")], "invalid_request"),
        ("AUTHZ-014", vec![("code_challenge_method", "plain")], "invalid_request"),
        ("AUTHZ-014", vec![("code_challenge_method", "")], "invalid_request"),
        ("AUTHZ-014", vec![("code_challenge", &CHALLENGE[..42])], "invalid_request"),
        ("AUTHZ-014", vec![("code_challenge_method", "S512")], "invalid_request"),
        ("AUTHZ-023", vec![("state", &long)], "invalid_request"),
        ("AUTHZ-023", vec![("nonce", &long)], "invalid_request"),
        ("AUTHZ-023", vec![("login_hint", &long)], "invalid_request"),
        ("AUTHZ-023", vec![("scope", &scopes)], "invalid_scope"),
        ("TOK-007", vec![("scope", "openid  orders:read")], "invalid_scope"),
        ("TOK-007", vec![("scope", "stock:write")], "invalid_scope"),
        ("TOK-006 unregistered", vec![("resource", "inventory")], "invalid_target"),
        ("TOK-006 fragment", vec![("resource", "payments#x")], "invalid_target"),
        ("TOK-006 built in", vec![("resource", "urn:durward:admin")], "invalid_target"),
        ("request object", vec![("request", "eyJhbGciOiJub25lIn0..")], "invalid_request_object"),
        ("request object by reference", vec![("request_uri", "https://evil.example/")], "request_uri_not_supported"),
        ("prompt", vec![("prompt", "none login")], "invalid_request"),
        ("prompt", vec![("prompt", "create")], "invalid_request"),
        ("max_age", vec![("max_age", "-1")], "invalid_request"),
        ("max_age", vec![("max_age", "+1")], "invalid_request"),
        ("max_age", vec![("max_age", "99999999999")], "invalid_request"),
        ("a forged hint", vec![("id_token_hint", "a.b.c")], "invalid_request"),
    ] {
        let Err(Refusal::Redirect(redirect)) = read(&world, &changes) else { panic!("{attack}: expected a redirect") };
        assert_eq!(redirect.error.code.name(), code, "{attack} {:?}", redirect.error);
        let location = url::Url::parse(&location(&world, redirect.response)).unwrap();
        assert_eq!(location.host_str(), Some("shop.example"), "{attack}");
        let answer: std::collections::HashMap<_, _> = location.query_pairs().collect();
        assert_eq!(answer["error"], code, "{attack}");
        assert_eq!(answer["iss"], ISSUER, "RFC 9207");
        assert!(!answer.contains_key("code"));
        assert_eq!(answer.contains_key("state"), !changes.contains(&("state", &long)), "{attack}");
    }
}

/// TOK-006
#[test]
fn two_resources_are_invalid_target() {
    let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(GOOD).finish();
    let query = format!("{encoded}&resource=payments&resource=inventory");
    let parameters = Parameters::parse(&[query.as_bytes()]).unwrap();
    let refusal = AuthorizationRequest::read(&parameters, &World::new(), NOW).unwrap_err();
    assert_eq!(refusal.error().code.name(), "invalid_target");
}

#[test]
fn a_client_without_the_grant_is_unauthorized() {
    let mut world = World::new();
    world.change_client("web", |client| client.grants = vec![GrantType::RefreshToken]);
    assert_eq!(read(&world, &[]).unwrap_err().error().code.name(), "unauthorized_client");
}

/// AUTHZ-009: somebody else's client sends nobody anywhere without a click.
#[test]
fn an_error_of_a_third_party_client_needs_an_interstitial() {
    let world = World::new();
    let Err(Refusal::Redirect(theirs)) = portal(&world, &[("scope", "nonsense")]) else { panic!() };
    let Err(Refusal::Redirect(ours)) = read(&world, &[("scope", "nonsense")]) else { panic!() };
    assert_eq!((theirs.interstitial, ours.interstitial), (true, false));
}

#[test]
fn what_was_registered_with_a_query_keeps_it() {
    let mut world = World::new();
    world.change_client("web", |client| client.redirect_uris = vec!["https://shop.example/cb?a=b".into()]);
    let request = read(&world, &[("redirect_uri", "https://shop.example/cb?a=b"), ("state", "x&y=z")]).unwrap();
    let expected = "https://shop.example/cb?a=b&code=c&state=x%26y%3Dz&iss=https%3A%2F%2Fauth.shop.example%2Frealms%2Fmain";
    assert_eq!(location(&world, request.success("c")), expected);
}

/// RFC 6749 section 3.1.2.3, and OpenID Connect Core section 3.1.2.1, which always wants it.
#[test]
fn the_only_address_of_a_client_need_not_be_named_but_in_openid_connect() {
    let world = World::new();
    let only = [("client_id", "portal"), ("redirect_uri", "")];
    let plain = read(&world, &with(&only, &[("scope", "orders:read")])).unwrap();
    assert_eq!(plain.redirect_uri, "https://portal.example/callback");
    let Err(Refusal::Page(error)) = read(&world, &only) else { panic!() };
    assert_eq!(error.reason, "redirect_uri.missing");
}

#[test]
fn a_person_who_has_not_logged_in_as_asked_is_shown_the_login_page() {
    let world = World::new();
    let hour_ago = NOW - Duration::from_secs(3600);
    let stale = Progress { login: Some(login_at("s", false, hour_ago)), ..Progress::default() };
    for (name, changes, progress, expected) in [
        ("nobody", vec![], Progress::default(), Next::Login),
        ("somebody", vec![], login("s", false), Next::Issue),
        ("prompt=login", vec![("prompt", "login")], login("s", false), Next::Login),
        ("prompt=login, done", vec![("prompt", "login")], login("s", true), Next::Issue),
        ("prompt=select_account", vec![("prompt", "select_account")], login("s", false), Next::Login),
        ("too long ago", vec![("max_age", "3599")], stale, Next::Login),
        ("just in time", vec![("max_age", "3600")], stale, Next::Issue),
        ("max_age=0", vec![("max_age", "0")], stale, Next::Login),
        ("prompt=consent", vec![("prompt", "consent")], login("s", true), Next::Consent),
    ] {
        let request = read(&world, &changes).unwrap();
        assert_eq!(next(&request, &world, progress, NOW).unwrap(), expected, "{name}");
    }
}

#[test]
fn a_hint_about_another_person_asks_for_a_login() {
    let world = World::new();
    let id_token = world.minted("web", &world.rows("web")).id_token.unwrap();
    let request = read(&world, &[("id_token_hint", id_token.expose())]).unwrap();
    assert_eq!(next(&request, &world, login(&alice().sub, false), NOW).unwrap(), Next::Issue);
    assert_eq!(next(&request, &world, login("somebody-else", false), NOW).unwrap(), Next::Login);
    let error = next(&request, &world, login("somebody-else", true), NOW).unwrap_err();
    assert_eq!(error.code.name(), "login_required", "and not again and again");
}

/// AUTHZ-018
#[test]
fn consent_is_asked_of_third_parties_and_of_programs_that_could_be_any() {
    let mut world = World::new();
    let rows = world.rows("portal");
    let consented = |progress| Progress { consent: rows.consent.as_ref(), ..progress };
    let request = portal(&world, &[]).unwrap();
    assert_eq!(next(&request, &world, login("s", true), NOW).unwrap(), Next::Consent);
    assert_eq!(next(&request, &world, consented(login("s", false)), NOW).unwrap(), Next::Issue);
    let more = portal(&world, &[("scope", "openid orders:write")]).unwrap();
    assert_eq!(next(&more, &world, consented(login("s", false)), NOW).unwrap(), Next::Consent, "not for more");

    world.change_client("portal", |client| client.authentication = ClientAuthentication::None);
    let public = portal(&world, &[]).unwrap();
    assert_eq!(next(&public, &world, consented(login("s", false)), NOW).unwrap(), Next::Issue, "a claimed https address is assurance");
    world.change_client("portal", |client| client.redirect_uris = vec!["http://127.0.0.1/cb".into()]);
    let native = portal(&world, &[("redirect_uri", "http://127.0.0.1:5000/cb")]).unwrap();
    assert_eq!(next(&native, &world, consented(login("s", false)), NOW).unwrap(), Next::Consent, "previous approval, no prompt");

    let loopback = read(&world, &[("redirect_uri", "http://127.0.0.1:5000/callback")]).unwrap();
    assert_eq!(next(&loopback, &world, login("s", false), NOW).unwrap(), Next::Consent, "not silently on an existing login");
    assert_eq!(next(&loopback, &world, login("s", true), NOW).unwrap(), Next::Issue, "the login was interaction enough");
}

/// AUTHZ-025
#[test]
fn prompt_none_tells_only_that_something_must_be_asked() {
    let world = World::new();
    let request = portal(&world, &[("prompt", "none"), ("login_hint", "nobody-by-this-name")]).unwrap();
    let error = |progress| next(&request, &world, progress, NOW).unwrap_err().code.name();
    assert_eq!(error(Progress::default()), "login_required");
    assert_eq!(error(login("alice", false)), "interaction_required");
    assert_eq!(error(login("bob", false)), "interaction_required");
}

fn issuance(world: &World, request: &AuthorizationRequest, rows: &Rows, consented: bool) -> Issuance {
    let facts = IssueFacts { person: &rows.person, session: &rows.session, consent: rows.consent.as_ref(), consented };
    issue(request, world, facts, (FamilyId::from_bytes([0xfb; 16]), jti(NOW)), NOW)
}

#[test]
fn a_code_opens_a_family_and_is_redeemed_through_it() {
    let world = World::new();
    let mut rows = world.rows("web");
    let request = read(&world, &[("nonce", "n")]).unwrap();
    let Issuance::Issue { code, writes, event } = issuance(&world, &request, &rows, false) else { panic!() };
    let [Write::OpenFamily(family)] = writes.as_slice() else { panic!("{writes:?}") };
    assert_eq!((family.generation, &family.audience, family.expires), (0, &"payments".to_owned(), rows.session.expires));
    assert_eq!(event.family, Some(family.id));

    rows.family = family.clone();
    let text = code.seal(&world.states, world.id(), &world.rng).unwrap();
    assert!(text.len() < 1000, "{}", text.len());
    let parameters = form(&[("code", &text), ("code_verifier", crate::fixture::VERIFIER), ("redirect_uri", &request.redirect_uri)]);
    let code = Code::read(&parameters, &world.states, world.id(), NOW).unwrap();
    let client = world.authenticated("web");
    let decision = durward_oauth::grant::authorization_code::decide(
        &world,
        &parameters,
        &client,
        (&code, rows.code_facts()),
        crate::fixture::jti(NOW),
        NOW,
    );
    let minted = world.mint(&granted(decision));
    assert_eq!(crate::fixture::claims(minted.id_token.as_ref().unwrap())["nonce"], "n");
}

#[test]
fn offline_access_outlives_the_login_and_nothing_else_does() {
    let world = World::new();
    let rows = world.rows("web");
    let request = read(&world, &[("scope", "openid offline_access")]).unwrap();
    let Issuance::Issue { writes, .. } = issuance(&world, &request, &rows, false) else { panic!() };
    let [Write::OpenFamily(family)] = writes.as_slice() else { panic!() };
    assert_eq!(family.expires, NOW + Duration::from_secs(world.realm.refresh_seconds.into()));
}

#[test]
fn a_consent_given_just_now_is_kept_with_what_was_allowed_before() {
    let world = World::new();
    let rows = world.rows("portal");
    let request = portal(&world, &[("scope", "openid orders:write")]).unwrap();
    assert!(matches!(issuance(&world, &request, &rows, false), Issuance::Deny { .. }), "no consent covers it");
    let Issuance::Issue { writes, .. } = issuance(&world, &request, &rows, true) else { panic!() };
    let [Write::PutConsent(consent), Write::OpenFamily(_)] = writes.as_slice() else { panic!("{writes:?}") };
    assert_eq!(consent.scopes, ["openid", "orders:read", "orders:write", "profile"]);
}

/// AUTHZ-029, LOGIN-016: a request that was good when the login began is judged again when the code is issued.
#[test]
fn the_gate_is_passed_again_when_the_code_is_issued() {
    let request = |world: &World| read(world, &[]).unwrap();
    let denied = |world: &World, rows: &Rows, request| match issuance(world, &request, rows, false) {
        Issuance::Deny { redirect, .. } => redirect.error.reason,
        Issuance::Issue { .. } | Issuance::Tokens { .. } => panic!("issued"),
    };
    let world = World::new();
    let rows = world.rows("web");
    let disabled = Rows { person: durward_model::Person { disabled: true, ..alice() }, ..rows.clone() };
    assert_eq!(denied(&world, &disabled, request(&world)), "person_disabled");
    let stranger = Rows { person: durward_model::Person { id: durward_base::PersonId::from_bytes([0xb0; 16]), ..alice() }, ..rows.clone() };
    assert_eq!(denied(&world, &stranger, request(&world)), "not_theirs");
    let elsewhere = Rows { person: durward_model::Person { realm: "other".into(), ..alice() }, ..rows.clone() };
    assert_eq!(denied(&world, &elsewhere, request(&world)), "not_theirs");

    let mut world = World::new();
    let sealed = request(&world);
    world.revoke(RevocationKind::Session, rows.session.id.to_string(), NOW);
    assert_eq!(denied(&world, &rows, sealed), "session_ended");

    let mut world = World::new();
    let sealed = request(&world);
    let metadata = world.client("web").unwrap().metadata.clone();
    world.remove("web");
    world.put(durward_model::Resource::Role(durward_model::resource::Role { name: "filler".into(), description: None }));
    world.put(durward_model::Resource::Client(metadata));
    assert_eq!(denied(&world, &rows, sealed), "client.unknown", "a client made anew under the old name inherits nothing");
}

#[test]
fn only_administrators_get_administrative_scopes_and_no_more_than_their_roles() {
    let world = World::new();
    let mut rows = world.rows("web");
    let changes = [
        ("client_id", "durward-cli"),
        ("redirect_uri", "http://127.0.0.1:40000/callback"),
        ("scope", "openid durward-admin durward-auditor"),
    ];
    let request = read(&world, &changes).unwrap();
    assert_eq!(request.audience, durward_oauth::ADMIN_AUDIENCE);
    let Issuance::Deny { redirect, .. } = issuance(&world, &request, &rows, false) else { panic!() };
    assert_eq!((redirect.error.code.name(), redirect.error.reason), ("access_denied", "role_missing"));
    rows.person.roles = vec!["durward-operator".into()];
    let Issuance::Issue { writes, .. } = issuance(&world, &request, &rows, false) else { panic!() };
    let [Write::OpenFamily(family)] = writes.as_slice() else { panic!() };
    assert_eq!(family.scopes, ["openid", "durward-auditor"], "an operator is an auditor and no admin");
}

#[test]
fn no_other_client_gets_administrative_tokens() {
    let mut world = World::new();
    world.change_client("web", |client| {
        client.services = vec![durward_oauth::ADMIN_AUDIENCE.into()];
        client.trust = Trust::FirstParty;
    });
    let mut rows = world.rows("web");
    rows.person.roles = vec!["durward-admin".into()];
    let request = read(&world, &[("scope", "openid")]).unwrap();
    let Issuance::Deny { redirect, .. } = issuance(&world, &request, &rows, false) else { panic!() };
    assert_eq!(redirect.error.reason, "audience_not_allowed");
}
