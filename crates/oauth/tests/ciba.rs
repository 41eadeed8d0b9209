//! OpenID Connect CIBA sections 4, 7, 10 and 11.

use durward_base::{DeviceId, Duration, FamilyId, PersonId, Timestamp};
use durward_jose::{Algorithm, SigningKey};
use durward_model::resource::{ClientAuthentication, Profile, TokenDelivery};
use durward_model::{Answerer, BackchannelRequest, DeviceAuthorization, DeviceState, EgressUrl, GrantType, Write};
use durward_oauth::acr::Level;
use durward_oauth::ciba::{self, AuthenticationRequest, Hint, Origin};
use durward_oauth::client_metadata;
use durward_oauth::device::{self, ApprovalFacts};
use durward_oauth::grant::device_code::{self, Facts};
use durward_oauth::{Decision, OAuthError, Registry as _};
use durward_seal::HandleKind;
use serde_json::{Value, json};

use crate::fixture::{ISSUER, NOW, World, alice, claims, denied, form, granted, jti, with};

const GOOD: [(&str, &str); 3] = [("scope", "openid orders:read"), ("login_hint", "alice"), ("binding_message", "Counter 4, 12.50")];

fn world() -> World {
    let mut world = World::new();
    for client in ["web", "portal"] {
        world.change_client(client, |client| client.grants.push(GrantType::Ciba));
    }
    world
}

fn read(world: &World, changes: &[(&str, &str)]) -> Result<AuthenticationRequest, OAuthError> {
    AuthenticationRequest::read(&form(&with(&GOOD, changes)), world, &world.authenticated("portal"), NOW)
}

fn origin(number: u8) -> Origin {
    Origin { id: DeviceId::from_bytes([number; 16]), address: Some("192.0.2.7".into()), notification: None }
}

fn asked(world: &World, changes: &[(&str, &str)], waiting: &[DeviceAuthorization]) -> Result<DeviceAuthorization, OAuthError> {
    let request = read(world, changes)?;
    let number = u8::try_from(waiting.len()).unwrap();
    ciba::request(world, &world.authenticated("portal"), request, (&alice(), waiting), origin(number), NOW).map(|asked| asked.device)
}

fn named(device: &DeviceAuthorization) -> &BackchannelRequest {
    match &device.answerer {
        Answerer::Person(named) => named,
        Answerer::UserCode(code) => panic!("a user code: {code}"),
    }
}

#[test]
fn a_client_asks_a_person_whom_it_names() {
    let world = world();
    let request = read(&world, &[("acr_values", "mfa"), ("requested_expiry", "90")]).unwrap();
    assert_eq!(request.hint, Hint::Username("alice".into()));
    let asked = ciba::request(&world, &world.authenticated("portal"), request, (&alice(), &[]), origin(1), NOW).unwrap();
    let device = &asked.device;
    assert!(matches!(&asked.writes[..], [Write::OpenDevice(opened)] if opened == device), "{:?}", asked.writes);
    assert_eq!(device.grant(), GrantType::Ciba);
    assert_eq!((named(device).person, named(device).acr.as_deref()), (alice().id, Some("mfa")));
    assert_eq!((named(device).binding_message.as_deref(), device.expires), (Some("Counter 4, 12.50"), NOW + Duration::from_secs(90)));
    let body: Value = serde_json::from_slice(&ciba::body(device, &world.handles, world.id()).unwrap()).unwrap();
    assert_eq!((body["expires_in"].as_u64(), body["interval"].as_u64()), (Some(90), Some(5)));
    let auth_req_id = body["auth_req_id"].as_str().unwrap();
    let ping: Value = serde_json::from_slice(&ciba::ping(device, &world.handles, world.id()).unwrap()).unwrap();
    assert_eq!(ping, json!({ "auth_req_id": auth_req_id }));
    let presented = |text: &str| ciba::read_auth_req_id(&form(&[("auth_req_id", text)]), &world.handles, world.id());
    assert_eq!(presented(auth_req_id), Ok(device.id));
    let device_code = world.handles.mint(HandleKind::DeviceCode, world.id(), device.id.to_bytes(), 0);
    assert_eq!(presented(device_code.expose()).unwrap_err().code.name(), "invalid_grant", "the other grant's handle is none of this");
    assert_eq!(presented("").unwrap_err().code.name(), "invalid_request");
}

/// DEV-006
#[test]
fn what_is_wrong_with_a_request_is_told_by_its_code() {
    let world = world();
    let long = "x".repeat(129);
    for (what, changes, code) in [
        ("no hint", vec![("login_hint", "")], "invalid_request"),
        ("two hints", vec![("id_token_hint", "a.b.c")], "invalid_request"),
        ("two hints", vec![("login_hint_token", "x")], "invalid_request"),
        ("a hint token", vec![("login_hint", ""), ("login_hint_token", "x")], "unknown_user_id"),
        ("a foreign ID token", vec![("login_hint", ""), ("id_token_hint", "a.b.c")], "invalid_request"),
        ("no scope", vec![("scope", "")], "invalid_request"),
        ("no openid", vec![("scope", "orders:read")], "invalid_scope"),
        ("another's scope", vec![("scope", "openid stock:write")], "invalid_scope"),
        ("another's service", vec![("resource", "inventory")], "invalid_target"),
        ("a message that turns around", vec![("binding_message", "pay 1\u{202e}00")], "invalid_binding_message"),
        ("a message with unseen letters", vec![("binding_message", "pay\u{200b} 1")], "invalid_binding_message"),
        ("a blank message", vec![("binding_message", "  ")], "invalid_binding_message"),
        ("an endless message", vec![("binding_message", &long)], "invalid_binding_message"),
        ("no time", vec![("requested_expiry", "0")], "invalid_request"),
        ("less than no time", vec![("requested_expiry", "-1")], "invalid_request"),
        ("no number", vec![("requested_expiry", "soon")], "invalid_request"),
        ("a number too large", vec![("requested_expiry", "99999999999")], "invalid_request"),
        ("a bad object", vec![("request", "a.b.c")], "invalid_request"),
    ] {
        assert_eq!(read(&world, &changes).expect_err(what).code.name(), code, "{what}");
    }
    let markup = "<b>pay</b> \u{54c1}\u{5ddd} \u{1f44d}";
    assert_eq!(named(&asked(&world, &[("binding_message", markup)], &[]).unwrap()).binding_message.as_deref(), Some(markup));
    let patient = asked(&world, &[("requested_expiry", "86400")], &[]).unwrap();
    assert_eq!(patient.expires, NOW + ciba::LONGEST, "no longer than people remember");
    let mut world = world;
    world.change_client("portal", |client| client.grants.retain(|grant| *grant != GrantType::Ciba));
    assert_eq!(read(&world, &[]).unwrap_err().code.name(), "unauthorized_client");
}

/// DEV-006
#[test]
fn a_client_has_five_requests_waiting_for_one_person_and_nobody_is_asked_who_may_not_log_in() {
    let world = world();
    let mut waiting = Vec::new();
    for _ in 0..ciba::MOST_WAITING {
        waiting.push(asked(&world, &[], &waiting).unwrap());
    }
    let error = asked(&world, &[], &waiting).unwrap_err();
    assert_eq!((error.status(), error.reason), (429, "ciba.too_many"));
    waiting.pop();
    waiting.push(DeviceAuthorization { client: world.client("web").unwrap().id, ..waiting[0].clone() });
    assert!(asked(&world, &[], &waiting).is_ok(), "another client's are its own");
    let disabled = durward_model::Person { disabled: true, ..alice() };
    let request = read(&world, &[]).unwrap();
    let refused = ciba::request(&world, &world.authenticated("portal"), request, (&disabled, &[]), origin(1), NOW);
    assert_eq!(refused.unwrap_err().code.name(), "unknown_user_id");
}

#[test]
fn an_id_token_names_its_person_to_the_client_it_was_issued_to() {
    let world = world();
    let rows = world.rows("portal");
    let id_token = world.minted("portal", &rows).id_token.unwrap();
    let hint = [("login_hint", ""), ("id_token_hint", id_token.expose())];
    let Hint::IdToken(read) = read(&world, &hint).unwrap().hint else { panic!("a name") };
    assert_eq!(read.family, Some(rows.family.id));
    assert!(read.is_about(&world, &alice().sub));
    let other = world.minted("web", &world.rows("web")).id_token.unwrap();
    let hint = [("login_hint", ""), ("id_token_hint", other.expose())];
    assert_eq!(super::ciba::read(&world, &hint).unwrap_err().reason, "hint.of_other_client");
}

#[test]
fn a_client_that_is_pinged_says_with_what() {
    let mut world = world();
    assert!(read(&world, &[("client_notification_token", "x y")]).unwrap().notification_token.is_none(), "none of its business");
    world.change_client("portal", |client| {
        client.backchannel_token_delivery_mode = Some(TokenDelivery::Ping);
        client.backchannel_client_notification_endpoint = Some(EgressUrl::parse("https://portal.example/ciba").unwrap());
    });
    let token = |text: &str| read(&world, &[("client_notification_token", text)]).map(|read| read.notification_token);
    assert_eq!(token("8d67dc78-7faa-4d41-aabd==").unwrap().unwrap().expose(), "8d67dc78-7faa-4d41-aabd==");
    let longest = "x".repeat(1024);
    assert!(token(&longest).is_ok());
    for wrong in ["", "=", "two words", "caf\u{e9}", &format!("{longest}x")] {
        assert_eq!(token(wrong).unwrap_err().code.name(), "invalid_request", "{wrong}");
    }
}

fn object(changes: &[(&str, Value)]) -> Value {
    let at = NOW.seconds();
    let mut claims = json!({
        "iss": "portal", "aud": ISSUER, "exp": at + 60, "nbf": at, "iat": at, "jti": "4LTCqACC2ESC5BWCnN3j58EnA",
        "scope": "openid", "login_hint": "alice", "requested_expiry": 30, "binding_message": "W4SCT",
    });
    for (name, value) in changes {
        claims[*name] = value.clone();
    }
    claims
}

#[test]
fn a_signed_request_has_all_that_it_must_and_is_all_that_is_read() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let mut world = world();
    world.change_client("portal", |client| {
        client.jwks = Some(json!({ "keys": [key.jwk()] }));
        client.backchannel_authentication_request_signing_alg = Some("ES256".into());
    });
    assert_eq!(read(&world, &[]).unwrap_err().reason, "request.not_signed");
    let bring = |world: &World, object: &Value| {
        let signed = key.sign("JWT", object).unwrap();
        asked(world, &[("request", &signed), ("login_hint", "bob"), ("binding_message", "another")], &[])
    };
    let device = bring(&world, &object(&[])).unwrap();
    assert_eq!((device.scopes.as_slice(), device.expires), (&["openid".to_owned()][..], NOW + Duration::from_secs(30)));
    assert_eq!(named(&device).binding_message.as_deref(), Some("W4SCT"));
    let at = NOW.seconds();
    for (what, changes) in [
        ("no iss", vec![("iss", Value::Null)]),
        ("another's iss", vec![("iss", "web".into())]),
        ("no aud", vec![("aud", Value::Null)]),
        ("another's aud", vec![("aud", "https://other.example".into())]),
        ("no exp", vec![("exp", Value::Null)]),
        ("expired", vec![("exp", (at - 600).into())]),
        ("no nbf", vec![("nbf", Value::Null)]),
        ("begins later", vec![("nbf", (at + 600).into())]),
        ("no iat", vec![("iat", Value::Null)]),
        ("made later", vec![("iat", (at + 600).into())]),
        ("no jti", vec![("jti", Value::Null)]),
        ("lives too long", vec![("exp", (at + 4_000).into())]),
        ("began too long ago", vec![("nbf", (at - 4_000).into())]),
        ("no hint", vec![("login_hint", Value::Null)]),
    ] {
        let mut object = object(&changes);
        object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(bring(&world, &object).expect_err(what).code.name(), "invalid_request", "{what}");
    }
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap().sign("JWT", &object(&[])).unwrap();
    assert_eq!(read(&world, &[("request", &stranger)]).unwrap_err().code.name(), "invalid_request");
    world.change_client("portal", |client| client.backchannel_authentication_request_signing_alg = Some("PS256".into()));
    assert_eq!(bring(&world, &object(&[])).unwrap_err().reason, "request.algorithm");
}

fn approved(world: &World, person: PersonId, state: DeviceState) -> DeviceAuthorization {
    let device = asked(world, &[], &[]).unwrap();
    let answerer = Answerer::Person(BackchannelRequest { person, ..named(&device).clone() });
    DeviceAuthorization { answerer, state, family: Some(FamilyId::from_bytes([0xfa; 16])), ..device }
}

/// DEV-004
#[test]
fn what_a_client_gets_is_told_by_where_its_request_stands_and_is_for_its_own_grant() {
    let world = world();
    let rows = world.rows("portal");
    let late = NOW + ciba::LIFETIME;
    let decide = |device: &DeviceAuthorization, grant: GrantType, too_soon: bool, now: Timestamp| {
        let facts = Facts { grant, device: Some(device), lineage: Some(rows.lineage()), too_soon, restored: None };
        device_code::decide(&world, &form(&[]), &world.authenticated("portal"), facts, jti(now), now)
    };
    for (state, too_soon, now, code) in [
        (DeviceState::Pending, false, NOW, "authorization_pending"),
        (DeviceState::Pending, true, NOW, "slow_down"),
        (DeviceState::Pending, false, late, "expired_token"),
        (DeviceState::Approved, false, late, "expired_token"),
        (DeviceState::Denied, false, NOW, "access_denied"),
    ] {
        let device = approved(&world, alice().id, state);
        assert_eq!(denied(decide(&device, GrantType::Ciba, too_soon, now)).code.name(), code, "{state:?}");
    }
    let device = approved(&world, alice().id, DeviceState::Approved);
    let minted = world.mint(&granted(decide(&device, GrantType::Ciba, false, NOW)));
    assert_eq!(claims(&minted.id_token.unwrap())["acr"], "pwd");
    let mut world = world;
    world.change_client("portal", |client| client.grants.push(GrantType::DeviceCode));
    let facts =
        Facts { grant: GrantType::DeviceCode, device: Some(&device), lineage: Some(rows.lineage()), too_soon: false, restored: None };
    let decision = device_code::decide(&world, &form(&[]), &world.authenticated("portal"), facts, jti(NOW), NOW);
    assert_eq!(denied(decision).reason, "device.unknown", "each is redeemed by its own grant");
    let redeemed = approved(&world, alice().id, DeviceState::Redeemed);
    let facts = Facts { grant: GrantType::Ciba, device: Some(&redeemed), lineage: Some(rows.lineage()), too_soon: false, restored: None };
    let decision = device_code::decide(&world, &form(&[]), &world.authenticated("portal"), facts, jti(NOW), NOW);
    assert!(matches!(decision, Decision::Replay { .. }), "{decision:?}");
}

#[test]
fn only_the_person_who_is_asked_answers_and_gives_what_is_theirs() {
    let world = world();
    let rows = world.rows("portal");
    let answer = |device: &DeviceAuthorization| {
        let (person, session) = (&rows.person, &rows.session);
        let facts = ApprovalFacts { device, person, session, consent: None, left_out: &[] };
        device::approve(&world, facts, FamilyId::from_bytes([7; 16]), NOW)
    };
    let mine = DeviceAuthorization { family: None, ..approved(&world, alice().id, DeviceState::Pending) };
    let (writes, _) = answer(&mine).unwrap();
    let [Write::MoveDevice { to: DeviceState::Approved, .. }, .., Write::OpenFamily(family)] = &writes[..] else { panic!("{writes:?}") };
    assert_eq!(family.person, alice().id);
    let theirs = DeviceAuthorization { family: None, ..approved(&world, PersonId::from_bytes([0xb0; 16]), DeviceState::Pending) };
    assert_eq!(answer(&theirs).unwrap_err().reason, "device.other_person");
}

#[test]
fn more_is_to_be_proved_where_it_is_asked_for_and_can_be() {
    use Level::{MultiFactor, Password};
    for (wanted, had, strongest, more) in [
        (MultiFactor, Some(Password), MultiFactor, true),
        (MultiFactor, None, MultiFactor, true),
        (MultiFactor, Some(MultiFactor), MultiFactor, false),
        (MultiFactor, Some(Password), Password, false),
        (Password, Some(Password), MultiFactor, false),
    ] {
        assert_eq!(ciba::must_prove_more(wanted, had, strongest), more, "{wanted:?} {had:?} {strongest:?}");
    }
}

/// DEV-006, DCR-002
#[test]
fn a_client_that_asks_for_people_authenticates_and_can_do_what_it_registered() {
    let world = world();
    let portal = world.client("portal").unwrap().metadata.clone();
    assert_eq!(client_metadata::client(&portal, &world), []);
    type Change = fn(&mut durward_model::resource::Client);
    let changes: [(&str, Change); 5] = [
        ("grants", |client| client.authentication = ClientAuthentication::None),
        ("backchannel_client_notification_endpoint", |client| client.backchannel_token_delivery_mode = Some(TokenDelivery::Ping)),
        ("backchannel_authentication_request_signing_alg", |client| {
            client.backchannel_authentication_request_signing_alg = Some("HS256".into());
        }),
        ("jwks", |client| client.backchannel_authentication_request_signing_alg = Some("ES256".into())),
        ("jwks", |client| client.profile = Some(Profile::Fapi2Security)),
    ];
    for (field, change) in changes {
        let mut client = portal.clone();
        change(&mut client);
        let problems = client_metadata::client(&client, &world);
        assert!(problems.iter().any(|problem| problem.field == field), "{field}: {problems:?}");
    }
    for inside in ["http://portal.example/ciba", "https://user@portal.example/", "ftp://portal.example"] {
        assert!(EgressUrl::parse(inside).is_err(), "{inside}");
    }
}
