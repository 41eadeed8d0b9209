//! Alice uses `web`; `payments` is called for her and asks for a token to act for her at `inventory`.

use durward_base::{Duration, Secret, Timestamp, TokenId};
use durward_jose::{Algorithm, SigningKey};
use durward_model::{Acting, Actor, GrantType, PrincipalKind, RevocationKind};
use durward_oauth::grant::token_exchange::{self, SubjectToken};
use durward_oauth::introspect::introspect;
use durward_oauth::presented_token::PresentedToken;
use durward_oauth::{Decision, OAuthError, revoke};
use serde_json::{Value, json};

use crate::fixture::{ISSUER, NOW, Rows, World, alice, claims, denied, form, granted, jti, keys, with};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const GATEWAY: &str = "https://auth.shop.example/gateways/main";
/// A moment later, so that what is made then has an id of its own.
const LATER: Timestamp = Timestamp::from_seconds(1_800_000_001);

/// The shop, in which `payments-program` and `inventory-program` may exchange, and `stock:read` is a scope that Alice can give.
fn world() -> World {
    let mut world = World::new();
    world.change_service("payments", |payments| {
        payments.scopes.push(durward_model::resource::Scope { name: "stock:read".into(), description: None });
    });
    world.change_client("web", |web| web.scopes.push("stock:read".into()));
    for program in ["payments-program", "inventory-program"] {
        world.change_client(program, |client| client.grants.push(GrantType::TokenExchange));
    }
    world
}

fn rows(world: &World) -> Rows {
    let mut rows = world.rows("web");
    rows.family.scopes = ["openid", "orders:read", "stock:read"].map(str::to_owned).to_vec();
    rows
}

fn access_token(world: &World, rows: &Rows) -> Secret {
    world.minted("web", rows).access_token
}

/// The request of `payments-program` for `inventory`, with some parameters replaced, added, or (given the empty text) left out.
fn ask(world: &World, rows: Option<&Rows>, client: &str, fields: &[(&str, &str)]) -> Result<Decision, OAuthError> {
    ask_at(world, rows, client, fields, LATER)
}

fn ask_at(world: &World, rows: Option<&Rows>, client: &str, fields: &[(&str, &str)], now: Timestamp) -> Result<Decision, OAuthError> {
    let parameters = form(&with(&[("subject_token_type", ACCESS_TOKEN), ("resource", "inventory")], fields));
    let client = world.authenticated(client);
    let token = SubjectToken::read(&parameters, world, &client, now)?;
    Ok(token_exchange::decide(world, &parameters, &client, (&token, rows.map(Rows::lineage)), jti(now), now))
}

#[track_caller]
fn refused(asked: Result<Decision, OAuthError>) -> OAuthError {
    match asked {
        Err(error) => error,
        Ok(decision) => denied(decision),
    }
}

/// The claims of what comes out.
#[track_caller]
fn exchanged(world: &World, rows: &Rows, fields: &[(&str, &str)]) -> Value {
    claims(&world.mint(&granted(ask(world, Some(rows), "payments-program", fields).unwrap())).access_token)
}

/// A token with some claims replaced, or (given null) left out, and signed anew by the realm.
fn signed(token: &Secret, changes: Value) -> String {
    let mut changed = claims(token);
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => changed.as_object_mut().unwrap().remove(name),
            value => changed.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    keys().es256.sign("at+jwt", &changed).unwrap()
}

/// A gateway's key, known to the realm, and the claims of the identity token that it makes of Alice's token for payments.
fn gateway(world: &mut World, rows: &Rows) -> (SigningKey, Value) {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    world.identity_keys.push((GATEWAY.into(), key.verifying_key()));
    let origin = claims(&access_token(world, rows));
    let claims = json!({
        "iss": GATEWAY, "aud": "payments", "sub": alice().sub, "exp": LATER.seconds() + 60, "iat": LATER.seconds(),
        "jti": TokenId::from_bytes(jti(LATER).to_bytes()).to_string(), "kind": "user", "roles": ["clerk", "customer"],
        "scope": "openid orders:read stock:read", "acr": "pwd", "auth_time": NOW.seconds(),
        "cred": {"jti": origin["jti"], "kid": keys().es256.kid(), "sid": origin["sid"], "ses": origin["ses"], "client_id": "web"},
    });
    (key, claims)
}

#[test]
fn what_a_service_gets_for_a_person_names_both_and_hangs_on_the_login() {
    let world = world();
    let rows = rows(&world);
    let subject = access_token(&world, &rows);
    let Decision::Issue { grant, writes, event } =
        ask(&world, Some(&rows), "payments-program", &[("subject_token", subject.expose())]).unwrap()
    else {
        panic!("it is issued")
    };
    assert!(writes.is_empty(), "an exchange stores nothing");
    let minted = world.mint(&grant);
    let body: Value = serde_json::from_slice(&minted.body().unwrap()).unwrap();
    assert_eq!((&body["issued_token_type"], &body["token_type"]), (&json!(ACCESS_TOKEN), &json!("Bearer")));
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
    let (made, origin) = (claims(&minted.access_token), claims(&subject));
    assert_eq!((&made["sub"], &made["client_id"], &made["aud"]), (&json!(alice().sub), &json!("payments-program"), &json!("inventory")));
    assert_eq!(made["act"], json!({"sub": "payments-program", "svc": "payments"}));
    assert_eq!(made["from"], json!([{"jti": origin["jti"], "kid": keys().es256.kid(), "client_id": "web"}]));
    assert_eq!((&made["sid"], &made["ses"]), (&origin["sid"], &origin["ses"]));
    assert_eq!(made["scope"], "stock:read");
    assert!(made.get("roles").is_none(), "payments has none of Alice's roles, so that neither has its token");
    let caller = event.caller.unwrap();
    assert_eq!((caller.kind, caller.id.as_str()), (PrincipalKind::Service, "payments"));
    assert_eq!(caller.acts_for, Some(Acting { kind: PrincipalKind::User, id: alice().sub, through: Vec::new() }));
    assert_eq!(caller.credential.as_ref().map(|credential| json!(credential.id)), Some(origin["jti"].clone()));
    assert_eq!((event.family, event.session), (Some(rows.family.id), Some(rows.session.id)));
}

/// XCHG-001, RFC 8693 section 2.2.2, RFC 9700 section 2.3.
#[test]
fn nothing_more_comes_out_than_client_and_subject_both_have() {
    let world = world();
    let rows = rows(&world);
    let subject = access_token(&world, &rows);
    for (case, fields, code, reason) in [
        ("a scope that the subject lacks", vec![("scope", "stock:read stock:write")], "invalid_scope", "scope.beyond_subject"),
        ("a scope that the client lacks", vec![("scope", "profile")], "invalid_scope", "scope.not_allowed"),
        ("a scope of a login", vec![("scope", "openid")], "invalid_scope", "scope.not_allowed"),
        ("an audience of nobody", vec![("resource", "nobody")], "invalid_target", "resource.not_allowed"),
        ("an audience of another realm", vec![("resource", ""), ("audience", "elsewhere")], "invalid_target", "audience.not_allowed"),
        ("the admin API", vec![("resource", "urn:durward:admin")], "invalid_target", "resource.not_allowed"),
        ("the fleet", vec![("resource", ""), ("audience", "urn:durward:fleet")], "invalid_target", "audience.not_allowed"),
        ("two audiences", vec![("audience", "payments")], "invalid_target", "resource.not_granted"),
        (
            "a refresh token",
            vec![("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")],
            "invalid_request",
            "requested_token_type.unsupported",
        ),
        ("an ID token", vec![("requested_token_type", ID_TOKEN)], "invalid_request", "requested_token_type.unsupported"),
    ] {
        let fields = [vec![("subject_token", subject.expose())], fields].concat();
        let error = refused(ask(&world, Some(&rows), "payments-program", &fields));
        assert_eq!((error.code.name(), error.reason), (code, reason), "XCHG-001: {case}");
    }
    assert_eq!(exchanged(&world, &rows, &[("subject_token", subject.expose()), ("scope", "stock:read")])["scope"], "stock:read");
    assert_eq!(
        exchanged(&world, &rows, &[("subject_token", subject.expose()), ("resource", ""), ("audience", "inventory")])["aud"],
        "inventory"
    );
}

/// XCHG-001, MFA-003: no role, no time and no assurance beyond what the subject's token has.
#[test]
fn roles_lifetime_and_assurance_are_never_more_than_the_subjects() {
    let mut world = world();
    world.change_client("payments-program", |client| client.roles = ["clerk", "machine"].map(str::to_owned).to_vec());
    let mut rows = rows(&world);
    let subject = access_token(&world, &rows);
    let made = exchanged(&world, &rows, &[("subject_token", subject.expose())]);
    assert_eq!(made["roles"], json!(["clerk"]), "those that both have");
    assert_eq!((&made["exp"], &made["acr"], &made["auth_time"]), (&claims(&subject)["exp"], &json!("pwd"), &json!(NOW.seconds())));

    let less = signed(&subject, json!({"roles": ["customer"], "exp": LATER.seconds() + 7}));
    let made = exchanged(&world, &rows, &[("subject_token", &less)]);
    assert_eq!((made.get("roles"), &made["exp"]), (None, &json!(LATER.seconds() + 7)));

    // The login has been stepped up since: the token that was made before says no more than it said.
    rows.family.assurance.acr = Some("mfa".into());
    rows.family.assurance.auth_time = Some(LATER);
    let made = exchanged(&world, &rows, &[("subject_token", subject.expose())]);
    assert_eq!((&made["acr"], &made["auth_time"]), (&json!("pwd"), &json!(NOW.seconds())));
    // And one that says more than the login is believed no more than the login.
    rows.family.assurance.acr = Some("pwd".into());
    let more = signed(&subject, json!({"acr": "mfa", "auth_time": LATER.seconds() + 5}));
    let made = exchanged(&world, &rows, &[("subject_token", &more)]);
    assert_eq!((&made["acr"], &made["auth_time"]), (&json!("pwd"), &json!(LATER.seconds())));
}

/// XCHG-002: the same that makes a token no good at a service makes it no good here.
#[test]
fn a_token_that_is_dead_or_somebody_elses_buys_nothing() {
    type Kill = fn(&mut World, &mut Rows, &Value);
    let cases: [(&str, Kill, &str); 13] = [
        ("revoked", |world, _, token| world.revoke(RevocationKind::Token, token["jti"].as_str().unwrap(), NOW), "revoked"),
        ("its family ended", |world, _, token| world.revoke(RevocationKind::Family, token["sid"].as_str().unwrap(), NOW), "revoked"),
        ("its login ended", |world, _, token| world.revoke(RevocationKind::Session, token["ses"].as_str().unwrap(), NOW), "revoked"),
        ("a role lost", |world, _, _| world.revoke(RevocationKind::Subject, alice().sub, NOW), "revoked"),
        ("its client revoked", |world, _, _| world.revoke(RevocationKind::Client, "web", NOW), "revoked"),
        ("the realm revoked", |world, _, _| world.revoke(RevocationKind::Realm, "main", NOW), "revoked"),
        ("its key revoked", |world, _, _| world.revoke(RevocationKind::Key, keys().es256.kid(), NOW), "revoked"),
        ("its key gone", |world, _, _| world.keys.clear(), "kid_unknown"),
        ("the person disabled", |_, rows, _| rows.person.disabled = true, "person_disabled"),
        ("the row of the login ended", |_, rows, _| rows.session.revoked = Some(NOW), "session_ended"),
        ("the row of the family ended", |_, rows, _| rows.family.revoked = Some(NOW), "family_ended"),
        ("its client disabled", |world, _, _| world.change_client("web", |web| web.disabled = true), "client_disabled"),
        ("the rows of somebody else", |_, rows, _| rows.person.sub = "somebody".into(), "not_theirs"),
    ];
    for (case, kill, reason) in cases {
        let mut world = world();
        let mut rows = rows(&world);
        let subject = access_token(&world, &rows);
        kill(&mut world, &mut rows, &claims(&subject));
        let error = refused(ask(&world, Some(&rows), "payments-program", &[("subject_token", subject.expose())]));
        assert_eq!((error.code.name(), error.reason), ("invalid_request", reason), "XCHG-002: {case}");
    }
}

/// XCHG-002: forged, expired, of another issuer, of another kind, or shown by one that it was not made for.
#[test]
fn a_token_that_is_not_the_clients_to_exchange_is_refused() {
    let world = world();
    let rows = rows(&world);
    let minted = world.minted("web", &rows);
    let subject = &minted.access_token;
    let forged = SigningKey::generate(Algorithm::ES256).unwrap().sign("at+jwt", &claims(subject)).unwrap();
    let refresh = world.refresh_text(&rows, 0);
    let id_token = minted.id_token.as_ref().unwrap();
    for (case, token, kind, reason) in [
        ("forged", forged, ACCESS_TOKEN, "kid_unknown"),
        ("another issuer", signed(subject, json!({"iss": "https://elsewhere.example/realms/main"})), ACCESS_TOKEN, "issuer_mismatch"),
        ("expired", signed(subject, json!({"iat": 1, "exp": 2})), ACCESS_TOKEN, "token_expired"),
        ("expired within the leeway", signed(subject, json!({"exp": NOW.seconds()})), ACCESS_TOKEN, "token_expired"),
        ("for another service", signed(subject, json!({"aud": "inventory"})), ACCESS_TOKEN, "subject_token.not_for_the_client"),
        ("an ID token as an access token", id_token.expose().to_owned(), ACCESS_TOKEN, "claim_missing"),
        ("an ID token of another client", id_token.expose().to_owned(), ID_TOKEN, "audience_mismatch"),
        ("an access token as an ID token", subject.expose().to_owned(), ID_TOKEN, "typ_mismatch"),
        ("an access token as a JWT", subject.expose().to_owned(), JWT, "assertion.issuer_unknown"),
        ("a refresh token", refresh.expose().to_owned(), ACCESS_TOKEN, "not_compact"),
        ("a type of nobody", subject.expose().to_owned(), "urn:ietf:params:oauth:token-type:saml2", "subject_token_type.unsupported"),
        ("a login that is half", signed(subject, json!({"ses": null})), ACCESS_TOKEN, "claim_malformed"),
    ] {
        let error = refused(ask(&world, Some(&rows), "payments-program", &[("subject_token", &token), ("subject_token_type", kind)]));
        assert_eq!((error.code.name(), error.reason), ("invalid_request", reason), "XCHG-002: {case}");
    }
    for (fields, reason) in [
        (vec![], "subject_token.missing"),
        (vec![("subject_token", subject.expose()), ("subject_token_type", "")], "subject_token_type.missing"),
    ] {
        assert_eq!(refused(ask(&world, Some(&rows), "payments-program", &fields)).reason, reason);
    }
}

#[test]
fn only_a_confidential_client_that_is_declared_for_it_may_exchange() {
    let mut world = world();
    let rows = rows(&world);
    let subject = access_token(&world, &rows);
    assert_eq!(refused(ask(&world, Some(&rows), "portal", &[("subject_token", subject.expose())])).reason, "grant_not_allowed");
    world.change_client("web", |web| web.grants.push(GrantType::TokenExchange));
    let error = refused(ask(&world, Some(&rows), "web", &[("subject_token", subject.expose())]));
    assert_eq!((error.code.name(), error.reason), ("unauthorized_client", "client.public"));
}

/// XCHG-003, RFC 7800 section 3.1: a key that the subject's token is bound to is not stripped by an exchange.
#[test]
fn a_bound_token_is_not_exchanged_for_one_that_anybody_may_present() {
    let world = world();
    let rows = rows(&world);
    let subject = access_token(&world, &rows);
    for cnf in
        [json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}), json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"})]
    {
        let bound = signed(&subject, json!({"cnf": cnf}));
        let error = refused(ask(&world, Some(&rows), "payments-program", &[("subject_token", &bound)]));
        assert_eq!((error.code.name(), error.reason), ("invalid_request", "subject_token.bound"), "XCHG-003: {cnf}");
    }
}

/// XCHG-006: nothing of an exchange is refreshed, and each exchange asks for the audience as it is now.
#[test]
fn an_exchange_gives_nothing_to_refresh_and_follows_its_audience() {
    let mut world = world();
    world.change_client("payments-program", |client| client.grants.push(GrantType::RefreshToken));
    let rows = rows(&world);
    let subject = access_token(&world, &rows);
    let asked = ask(&world, Some(&rows), "payments-program", &[("subject_token", subject.expose())]).unwrap();
    assert!(world.mint(&granted(asked)).refresh_token.is_none());
    world.change_service("inventory", |inventory| inventory.disabled = true);
    let error = refused(ask(&world, Some(&rows), "payments-program", &[("subject_token", subject.expose())]));
    assert_eq!((error.code.name(), error.reason), ("invalid_target", "service_unavailable"));
}

#[test]
fn a_gateways_identity_token_is_exchanged_by_the_service_it_was_made_for_and_by_nobody_else() {
    let mut world = world();
    let rows = rows(&world);
    let (key, identity) = gateway(&mut world, &rows);
    let sign = |claims: &Value| key.sign("dw-id+jwt", claims).unwrap();
    let made = exchanged(&world, &rows, &[("subject_token", &sign(&identity)), ("subject_token_type", JWT)]);
    assert_eq!((&made["sub"], &made["act"]["svc"], &made["sid"]), (&json!(alice().sub), &json!("payments"), &identity["cred"]["sid"]));
    assert_eq!(made["exp"], json!(LATER.seconds() + 60), "no longer than the identity token");
    assert_eq!(made["from"].as_array().unwrap().len(), 2, "it dies with the identity token and with what that stands for");

    let changed = |name: &str, value: Value| {
        let mut claims = identity.clone();
        claims[name] = value;
        sign(&claims)
    };
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    for (case, token, kind, reason) in [
        ("for another service", changed("aud", json!("inventory")), JWT, "audience_mismatch"),
        ("for two", changed("aud", json!(["payments", "inventory"])), JWT, "audience_mismatch"),
        ("too long a life", changed("exp", json!(LATER.seconds() + 61)), JWT, "lifetime_too_long"),
        ("without what it stands for", changed("cred", json!({})), JWT, "claim_malformed"),
        ("of an unknown gateway", stranger.sign("dw-id+jwt", &identity).unwrap(), JWT, "assertion.issuer_unknown"),
        ("in the realm's name", changed("iss", json!(ISSUER)), JWT, "assertion.issuer_unknown"),
        ("as an access token", sign(&identity), ACCESS_TOKEN, "kid_unknown"),
        ("with another's login", changed("sub", json!("somebody")), JWT, "not_theirs"),
    ] {
        let error = refused(ask(&world, Some(&rows), "payments-program", &[("subject_token", &token), ("subject_token_type", kind)]));
        assert_eq!(error.reason, reason, "XCHG-002: {case}");
    }
    let token = sign(&identity);
    let fields = [("subject_token", token.as_str()), ("subject_token_type", JWT)];
    assert_eq!(refused(ask(&world, Some(&rows), "inventory-program", &fields)).reason, "audience_mismatch");
    world.revoke(RevocationKind::Token, identity["cred"]["jti"].as_str().unwrap(), NOW);
    assert_eq!(refused(ask(&world, Some(&rows), "payments-program", &fields)).reason, "revoked", "the credential it stands for is");
}

/// RFC 8693 section 4.1: each actor stands before the one that acted before it, and the chain ends somewhere.
#[test]
fn a_chain_of_actors_grows_outwards_and_is_bounded() {
    let world = world();
    let rows = rows(&world);
    let subject = access_token(&world, &rows);
    let first = granted(ask(&world, Some(&rows), "payments-program", &[("subject_token", subject.expose())]).unwrap());
    let first = world.mint(&first).access_token;
    let fields = [("subject_token", first.expose()), ("resource", "payments")];
    let Decision::Issue { grant, event, .. } = ask(&world, Some(&rows), "inventory-program", &fields).unwrap() else {
        panic!("it is issued")
    };
    let second = claims(&world.mint(&grant).access_token);
    assert_eq!(
        second["act"],
        json!({"sub": "inventory-program", "svc": "inventory", "act": {"sub": "payments-program", "svc": "payments"}})
    );
    assert_eq!(second["sub"], json!(alice().sub));
    let through = vec![Actor { kind: PrincipalKind::Service, id: "payments".into() }];
    assert_eq!(event.caller.unwrap().acts_for, Some(Acting { kind: PrincipalKind::User, id: alice().sub, through }));

    let nested = |depth: usize| (1..depth).fold(json!({"sub": "a"}), |act, _| json!({"sub": "a", "act": act}));
    for (depth, reason) in [(4, "act.too_deep"), (5, "claim_malformed")] {
        let deep = signed(&first, json!({"act": nested(depth)}));
        let error = refused(ask(&world, Some(&rows), "inventory-program", &[("subject_token", &deep), ("resource", "payments")]));
        assert_eq!(error.reason, reason, "{depth}");
    }
    let shallow = signed(&first, json!({"act": nested(3)}));
    granted(ask(&world, Some(&rows), "inventory-program", &[("subject_token", &shallow), ("resource", "payments")]).unwrap());
}

/// RFC 8693 section 1.1: impersonation leaves no trace in the token, and so is for clients alone that are declared to.
#[test]
fn a_client_is_the_actor_unless_it_is_declared_to_impersonate() {
    let mut world = world();
    world.change_client("payments-program", |client| client.impersonates = true);
    let rows = rows(&world);
    let subject = access_token(&world, &rows);
    let made = exchanged(&world, &rows, &[("subject_token", subject.expose())]);
    assert!(made.get("act").is_none());
    assert_eq!((&made["sub"], &made["roles"]), (&json!(alice().sub), &json!(["clerk", "customer"])));
    let asked = ask(&world, Some(&rows), "payments-program", &[("subject_token", subject.expose())]).unwrap();
    let Decision::Issue { event, .. } = asked else { panic!("it is issued") };
    assert_eq!(event.caller.unwrap().acts_for.clone().map(|acting| acting.id), Some(alice().sub), "the record names both all the same");
    // Who came by a token as an actor stays visible.
    let acted = signed(&subject, json!({"act": {"sub": "inventory-program", "svc": "inventory"}}));
    assert_eq!(exchanged(&world, &rows, &[("subject_token", &acted)])["act"]["sub"], "payments-program");
}

#[test]
fn an_actor_token_must_be_the_clients_own() {
    let world = world();
    let rows = rows(&world);
    let subject = access_token(&world, &rows);
    let own = |program: &str| {
        let client = world.authenticated(program);
        let parameters = form(&[("resource", "inventory")]);
        let decision = durward_oauth::grant::client_credentials::decide(&world, &parameters, &client, jti(NOW), NOW);
        world.mint(&granted(decision)).access_token
    };
    let (actor, other) = (own("payments-program"), own("inventory-program"));
    let made = exchanged(
        &world,
        &rows,
        &[
            ("subject_token", subject.expose()),
            ("actor_token", &signed(&actor, json!({"exp": LATER.seconds() + 9}))),
            ("actor_token_type", ACCESS_TOKEN),
        ],
    );
    assert_eq!((&made["act"]["sub"], &made["exp"]), (&json!("payments-program"), &json!(LATER.seconds() + 9)));
    for (case, token, kind, reason) in [
        ("another program's", other.expose(), ACCESS_TOKEN, "actor_token.not_the_clients"),
        ("a person's", subject.expose(), ACCESS_TOKEN, "actor_token.not_the_clients"),
        ("none at all", "x", ACCESS_TOKEN, "not_compact"),
        ("of no type", actor.expose(), "", "actor_token_type.wrong"),
        ("a type alone", "", ACCESS_TOKEN, "actor_token_type.wrong"),
    ] {
        let fields = [("subject_token", subject.expose()), ("actor_token", token), ("actor_token_type", kind)];
        let error = refused(ask(&world, Some(&rows), "payments-program", &fields));
        assert_eq!((error.code.name(), error.reason), ("invalid_request", reason), "{case}");
    }
}

#[test]
fn a_program_is_acted_for_too_but_not_by_itself() {
    let world = world();
    let client = world.authenticated("inventory-program");
    let decision = durward_oauth::grant::client_credentials::decide(&world, &form(&[("resource", "payments")]), &client, jti(NOW), NOW);
    let own = world.mint(&granted(decision)).access_token;
    let made = granted(ask(&world, None, "payments-program", &[("subject_token", own.expose())]).unwrap());
    let made = claims(&world.mint(&made).access_token);
    assert_eq!((&made["sub"], &made["svc"]), (&json!("inventory-program"), &json!("inventory")));
    assert_eq!((&made["act"]["svc"], &made["roles"]), (&json!("payments"), &json!(["machine"])));
    assert!(made.get("sid").is_none());
    let error = refused(ask(&world, None, "inventory-program", &[("subject_token", own.expose()), ("resource", "payments")]));
    assert_eq!(error.reason, "subject_token.own");
}

#[test]
fn an_id_token_is_exchanged_by_the_client_it_was_issued_to() {
    let mut world = world();
    world.change_client("portal", |portal| {
        portal.grants.push(GrantType::TokenExchange);
        portal.services.push("inventory".into());
    });
    let rows = world.rows("portal");
    let id_token = world.minted("portal", &rows).id_token.unwrap();
    let fields = [("subject_token", id_token.expose()), ("subject_token_type", ID_TOKEN)];
    let made = claims(&world.mint(&granted(ask(&world, Some(&rows), "portal", &fields).unwrap())).access_token);
    assert_eq!((&made["sub"], &made["act"]), (&json!(alice().sub), &json!({"sub": "portal"})));
    let mut gone = rows.clone();
    gone.consent = None;
    assert_eq!(refused(ask(&world, Some(&gone), "portal", &fields)).reason, "consent_missing");
    world.revoke(RevocationKind::Subject, alice().sub, NOW);
    assert_eq!(refused(ask(&world, Some(&rows), "portal", &fields)).reason, "revoked");
}

/// RFC 7662, RFC 7009: an exchanged token is its client's to revoke, names its actor, and dies with what it comes from.
#[test]
fn an_exchanged_token_is_introspected_revoked_and_dies_with_its_subject() {
    let mut world = world();
    let rows = rows(&world);
    let subject = access_token(&world, &rows);
    let made = granted(ask(&world, Some(&rows), "payments-program", &[("subject_token", subject.expose())]).unwrap());
    let token = world.mint(&made).access_token;
    let read = |world: &World| PresentedToken::read(&form(&[("token", token.expose())]), world, &world.handles, LATER).unwrap();
    {
        let inventory = world.authenticated("inventory-program");
        let told = serde_json::to_value(introspect(&world, &inventory, &read(&world), None, LATER)).unwrap();
        assert_eq!((&told["active"], &told["sub"], &told["act"]["sub"]), (&json!(true), &json!(alice().sub), &json!("payments-program")));
        assert!(revoke::decide(&world, &inventory, &read(&world), None, LATER).answer.is_err(), "it is not inventory's");
        let revoked = revoke::decide(&world, &world.authenticated("payments-program"), &read(&world), None, LATER);
        assert!(revoked.answer.is_ok() && revoked.writes.len() == 1);
    }
    for (kind, key) in [
        (RevocationKind::Token, claims(&subject)["jti"].as_str().unwrap().to_owned()),
        (RevocationKind::Client, "web".to_owned()),
        (RevocationKind::Session, rows.session.id.to_string()),
        (RevocationKind::Family, rows.family.id.to_string()),
        (RevocationKind::Subject, alice().sub),
    ] {
        let before = world.revocations.len();
        world.revoke(kind, key, LATER + Duration::from_secs(1));
        assert!(matches!(read(&world), PresentedToken::Unknown), "{kind:?}");
        world.revocations.truncate(before);
    }
    assert!(matches!(read(&world), PresentedToken::Access(_)));
}
