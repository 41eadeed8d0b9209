//! OpenID Connect Core: what a request says about whom to ask, how strongly, and what to tell.

use durward_base::Secret;
use durward_oauth::acr::Level;
use durward_oauth::authorize::{AuthorizationRequest, Delivery, Issuance, IssueFacts, Login, Next, Progress, Refusal, issue, next};
use durward_oauth::code::Code;
use durward_oauth::grant::authorization_code;
use durward_oauth::{OAuthError, Registry as _};
use serde_json::{Value, json};

use crate::fixture::{CHALLENGE, ISSUER, NOW, VERIFIER, World, claims, form, granted, jti, keys, with};

const GOOD: [(&str, &str); 7] = [
    ("client_id", "web"),
    ("redirect_uri", "https://shop.example/callback"),
    ("response_type", "code"),
    ("scope", "openid"),
    ("state", "af0ifjsldkj"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

fn read(world: &World, changes: &[(&str, &str)]) -> Result<AuthorizationRequest, Refusal> {
    AuthorizationRequest::read(&form(&with(&GOOD, changes)), world, NOW)
}

fn asked(world: &World, changes: &[(&str, &str)], level: Level, strongest: Level) -> Result<Next, OAuthError> {
    let login = Login { subject: "s", auth_time: NOW, fresh: false, level: Some(level), strongest };
    next(&read(world, changes).unwrap(), world, Progress { login: Some(login), ..Progress::default() }, NOW)
}

const ESSENTIAL_MFA: (&str, &str) = ("claims", r#"{"id_token":{"acr":{"essential":true,"values":["mfa"]}}}"#);

#[test]
fn a_stronger_login_is_asked_for_where_the_person_has_one() {
    use Level::{MultiFactor, Password};
    let world = World::new();
    for (name, changes, level, strongest, expected) in [
        ("nothing asked", vec![], Password, MultiFactor, Ok(Next::Issue)),
        ("any will do", vec![("acr_values", "mfa pwd")], Password, MultiFactor, Ok(Next::Issue)),
        ("unknown level", vec![("acr_values", "urn:gold")], Password, MultiFactor, Ok(Next::Issue)),
        ("asked", vec![("acr_values", "mfa")], Password, MultiFactor, Ok(Next::StepUp)),
        ("done", vec![("acr_values", "mfa")], MultiFactor, MultiFactor, Ok(Next::Issue)),
        ("more than asked", vec![("acr_values", "pwd")], MultiFactor, MultiFactor, Ok(Next::Issue)),
        ("cannot, need not", vec![("acr_values", "mfa")], Password, Password, Ok(Next::Issue)),
        ("silently, need not", vec![("acr_values", "mfa"), ("prompt", "none")], Password, MultiFactor, Ok(Next::Issue)),
        ("essential", vec![ESSENTIAL_MFA], Password, MultiFactor, Ok(Next::StepUp)),
        ("essential, done", vec![ESSENTIAL_MFA], MultiFactor, MultiFactor, Ok(Next::Issue)),
        ("essential, cannot", vec![ESSENTIAL_MFA], Password, Password, Err("unmet_authentication_requirements")),
        ("essential, silently", vec![ESSENTIAL_MFA, ("prompt", "none")], Password, MultiFactor, Err("login_required")),
    ] {
        let found = asked(&world, &changes, level, strongest).map_err(|error| error.code.name());
        assert_eq!(found, expected, "{name}");
    }
    let unknown = read(&world, &[("claims", r#"{"id_token":{"acr":{"essential":true,"value":"gold"}}}"#)]).unwrap_err();
    assert_eq!(unknown.error().code.name(), "unmet_authentication_requirements");
}

/// AUTHZ-023
#[test]
fn malformed_and_endless_claims_are_refused_and_unknown_ones_are_not() {
    let world = World::new();
    let deep = format!(r#"{{"id_token":{{"name":{}{}}}}}"#, "[".repeat(50), "]".repeat(50));
    let many: Value = (0..100).map(|n| (format!("c{n}"), Value::Null)).collect::<serde_json::Map<_, _>>().into();
    let many = json!({ "userinfo": many }).to_string();
    let long = json!({ "userinfo": { "name": { "value": "x".repeat(9000) } } }).to_string();
    for wrong in [
        "x",
        "[]",
        r#"{"id_token":[]}"#,
        r#"{"id_token":{"name":true}}"#,
        r#"{"id_token":{"name":{"essential":"yes"}}}"#,
        r#"{"id_token":{"name":{"values":"x"}}}"#,
        r#"{"id_token":{"name":null,"name":null}}"#,
        r#"{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}"#,
        &deep,
        &many,
        &long,
    ] {
        let refusal = read(&world, &[("claims", wrong)]).expect_err(wrong);
        assert_eq!(refusal.error().reason, "claims.malformed", "{wrong}");
    }
    for fine in [r#"{}"#, r#"{"id_token":null}"#, r#"{"id_token":{"eye_color":{"essential":true}},"more":1}"#] {
        assert_eq!(read(&world, &[("claims", fine)]).unwrap().scopes, ["openid"], "{fine}");
    }
}

#[test]
fn the_subject_that_a_claim_names_is_the_one_person_expected() {
    let world = World::new();
    let request = read(&world, &[("claims", r#"{"id_token":{"sub":{"value":"alice"}}}"#)]).unwrap();
    assert_eq!(request.expected_subject.as_deref(), Some("alice"));
    let id_token = world.minted("web", &world.rows("web")).id_token.unwrap();
    let both = [("claims", r#"{"id_token":{"sub":{"value":"bob"}}}"#), ("id_token_hint", id_token.expose())];
    assert_eq!(read(&world, &both).unwrap_err().error().reason, "subject.contradiction");
}

/// What a login with this request puts into the ID token.
fn id_token(world: &World, changes: &[(&str, &str)]) -> (Value, Vec<String>) {
    let request = read(world, changes).unwrap();
    let mut rows = world.rows("web");
    let facts = IssueFacts { person: &rows.person, session: &rows.session, consent: None, consented: false };
    let Issuance::Issue { code, writes, .. } = issue(&request, world, facts, (rows.family.id, jti(NOW)), NOW) else { panic!() };
    let Some(durward_model::Write::OpenFamily(family)) = writes.into_iter().last() else { panic!() };
    rows.family = family;
    let text = code.seal(&world.states, world.id(), &world.rng).unwrap();
    let parameters = form(&[("code", &text), ("code_verifier", VERIFIER)]);
    let code = Code::read(&parameters, &world.states, world.id(), NOW).unwrap();
    let client = world.authenticated("web");
    let decision = authorization_code::decide(world, &parameters, &client, (&code, rows.code_facts()), jti(NOW), NOW);
    (claims(world.mint(&granted(decision)).id_token.as_ref().unwrap()), rows.family.scopes)
}

#[test]
fn claims_that_are_asked_for_are_told_where_they_were_asked_for_within_the_clients_scopes() {
    let mut world = World::new();
    let (plain, _) = id_token(&world, &[("scope", "openid profile email")]);
    assert!(plain.get("email").is_none() && plain["auth_time"].is_i64());

    let asked = [("claims", r#"{"id_token":{"email":{"essential":true}},"userinfo":{"name":null}}"#)];
    let (told, scopes) = id_token(&world, &asked);
    assert_eq!((&told["email"], told.get("name")), (&json!("alice@shop.example"), None));
    assert_eq!(scopes, ["openid", "email", "profile"], "asking for a claim is asking for its scope");

    world.change_client("web", |client| client.scopes.retain(|scope| scope != "email"));
    let (told, scopes) = id_token(&world, &asked);
    assert_eq!((told.get("email"), scopes.as_slice()), (None, &["openid".to_owned(), "profile".to_owned()][..]));
}

#[test]
fn a_response_travels_as_it_was_asked_to() {
    let world = World::new();
    let deliver = |mode| read(&world, &[("response_mode", mode)]).unwrap().success("c0de").deliver(&world, &keys().ring, NOW).unwrap();
    let Delivery::Form { action, parameters } = deliver("form_post") else { panic!() };
    assert_eq!(action, "https://shop.example/callback");
    assert_eq!(parameters, [("code", "c0de".to_owned()), ("state", "af0ifjsldkj".to_owned()), ("iss", ISSUER.to_owned())]);

    for mode in ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt"] {
        let response = match deliver(mode) {
            Delivery::Redirect(location) => location.split_once("response=").unwrap().1.to_owned(),
            Delivery::Form { parameters, .. } => parameters[0].1.clone(),
        };
        let response = claims(&Secret::new(response));
        assert_eq!((&response["iss"], &response["aud"]), (&json!(ISSUER), &json!("web")), "{mode}");
        assert_eq!((&response["code"], &response["state"]), (&json!("c0de"), &json!("af0ifjsldkj")), "{mode}");
        assert_eq!(response["exp"], NOW.seconds() + 600);
    }
    assert!(
        matches!(deliver("fragment.jwt"), Delivery::Redirect(location) if location.starts_with("https://shop.example/callback#response="))
    );
}

/// An error is signed like everything else, so that nobody can make one up (JARM section 4.1).
#[test]
fn an_error_travels_as_the_answer_would() {
    let world = World::new();
    let Err(Refusal::Redirect(redirect)) = read(&world, &[("response_mode", "jwt"), ("scope", "nonsense")]) else { panic!() };
    let Delivery::Redirect(location) = redirect.response.deliver(&world, &keys().ring, NOW).unwrap() else { panic!() };
    let (before, response) = location.split_once("response=").unwrap();
    assert_eq!(before, "https://shop.example/callback?");
    assert_eq!(claims(&Secret::new(response))["error"], "invalid_scope");
}
