//! The plans FAPI 2.0 Security Profile and Message Signing: `signer` as a bank's client, with `private_key_jwt` and DPoP.

use axum::body::Body;
use durward_base::{Duration, base64url};
use durward_jose::{Algorithm, SigningKey};
use durward_model::GrantType;
use durward_model::resource::{Client, Profile};
use durward_testkit::dpop::{DpopKey, claims as proof_claims};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{Answer, Browser, CHALLENGE, ISSUER, NOW, PASSWORD, PUBLIC_URL, VERIFIER, World, authorize};

const CALLBACK: &str = "https://bank.example/cb";
const PAR: &str = "/realms/main/oauth2/par";
const TOKEN: &str = "/realms/main/oauth2/token";
const USERINFO: &str = "/realms/main/oauth2/userinfo";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub async fn world(profile: Profile) -> World {
    let world = World::new().await;
    let bank = |client: &mut Client| {
        client.profile = Some(profile);
        client.grants = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        client.redirect_uris = vec![CALLBACK.to_owned()];
        client.scopes = ["openid", "offline_access", "orders:read"].map(str::to_owned).to_vec();
        client.services = vec!["shop".to_owned()];
        client.dpop_bound_access_tokens = true;
    };
    world.change_client("signer", bank).await;
    world
}

pub fn with(claims: Value, changes: &[(&str, Value)]) -> Value {
    let mut claims = claims;
    for (name, value) in changes {
        claims[*name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn assertion_with(world: &World, key: &SigningKey, changes: &[(&str, Value)]) -> String {
    let (now, jti) = (world.clock.clock().now().seconds(), base64url::encode(&world.rng.bytes::<16>()));
    let claims = json!({ "iss": "signer", "sub": "signer", "aud": ISSUER, "iat": now, "exp": now + 60, "jti": jti });
    key.sign("JWT", &with(claims, changes)).unwrap()
}

/// A form with the client's assertion.
pub async fn call(browser: &mut Browser<'_>, world: &World, target: &str, form: &[(&str, &str)]) -> Answer {
    let assertion = assertion_with(world, &world.signer, &[]);
    browser.post(target, &[form, &[("client_assertion_type", ASSERTION), ("client_assertion", &assertion)]].concat()).await
}

fn request<'a>(otherwise: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("response_type", "code"),
        ("client_id", "signer"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid offline_access orders:read"),
        ("state", "s-1"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual.into_iter().filter(|(name, _)| otherwise.iter().all(|(other, _)| other != name));
    kept.chain(otherwise.iter().copied()).filter(|(_, value)| !value.is_empty()).collect()
}

async fn pushed(browser: &mut Browser<'_>, world: &World, otherwise: &[(&str, &str)]) -> String {
    let answer = call(browser, world, PAR, &request(otherwise)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.text("request_uri")
}

/// The answer to a request that was pushed, once Alice has logged in.
async fn authorized(browser: &mut Browser<'_>, uri: &str) -> Answer {
    let asked = browser.ask(&[("client_id", "signer"), ("request_uri", uri)]).await;
    if !asked.location().contains("/login?") {
        return asked;
    }
    let page = browser.follow(&asked).await;
    browser.log_in(&page, "alice", PASSWORD).await
}

/// A token request with a proof, which carries the nonce that the first answer gives.
pub async fn proved(browser: &mut Browser<'_>, world: &World, key: &DpopKey, form: &[(&str, &str)]) -> Answer {
    let (url, now) = (format!("{PUBLIC_URL}{TOKEN}"), world.clock.clock().now());
    browser.with("dpop", &key.proof(("POST", &url), None, None, now));
    let first = call(browser, world, TOKEN, form).await;
    let nonce = first.is_error(400, "use_dpop_nonce").header("dpop-nonce").to_owned();
    browser.with("dpop", &key.proof(("POST", &url), Some(&nonce), None, now));
    call(browser, world, TOKEN, form).await
}

fn redemption(code: &str) -> [(&'static str, &str); 4] {
    [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)]
}

/// `fapi2-security-profile-final-happy-flow`, `-refresh-token`
#[tokio::test]
async fn a_bank_logs_people_in() {
    let world = world(Profile::Fapi2Security).await;
    let (mut browser, key) = (world.browser(), DpopKey::generate());
    let uri = pushed(&mut browser, &world, &[]).await;
    let again = browser.ask(&[("client_id", "signer"), ("request_uri", &uri)]).await;
    assert!(again.location().contains("/login?"), "ensure-reused-request-uri-prior-to-auth-completion-succeeds");
    let arrived = authorized(&mut browser, &uri).await;
    assert_eq!((arrived.parameter("state").as_deref(), arrived.parameter("iss").as_deref()), (Some("s-1"), Some(ISSUER)));
    let tokens = proved(&mut browser, &world, &key, &redemption(&arrived.code())).await;
    assert_eq!(tokens.text("token_type"), "DPoP", "{}", tokens.body);
    let header: Value = serde_json::from_slice(&base64url::decode(tokens.text("id_token").split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!(header["alg"], "ES256");
    assert_eq!(tokens.claims("access_token")["cnf"]["jkt"], key.thumbprint());

    let token = tokens.text("access_token");
    let bare = browser.userinfo(&token).await;
    assert_eq!((bare.status, bare.header("www-authenticate").split(' ').next()), (StatusCode::UNAUTHORIZED, Some("DPoP")));
    let url = format!("{PUBLIC_URL}{USERINFO}");
    let mut nonce = None;
    for status in [StatusCode::UNAUTHORIZED, StatusCode::OK] {
        let proof = key.proof(("GET", &url), nonce.as_deref(), Some(&token), NOW);
        let answer = browser.with("authorization", &format!("DPoP {token}")).with("dpop", &proof).get(USERINFO).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        nonce = Some(answer.header("dpop-nonce").to_owned());
    }
    let refresh = tokens.text("refresh_token");
    for _ in 0..2 {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let refreshed = proved(&mut browser, &world, &key, &form).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.body);
        let kept = refreshed.json()["refresh_token"].as_str().is_none_or(|token| token == refresh);
        assert!(kept, "5.3.2.1: shall not use refresh token rotation");
    }
}

/// `par-ensure-…-as-audience-…`, `ensure-client-assertion-with-…-fails`, `ensure-signed-client-assertion-with-RS256-fails`; CLI-004.
#[tokio::test]
async fn an_assertion_is_for_the_issuer_alone_and_whole() {
    let world = world(Profile::Fapi2Security).await;
    let (rsa, mut browser) = (SigningKey::generate(Algorithm::RS256).unwrap(), world.browser());
    let keys = json!({ "keys": [world.signer.jwk(), rsa.jwk()] });
    world.change_client("signer", |client| client.jwks = Some(keys)).await;
    let at = |path: &str| json!(format!("{PUBLIC_URL}{path}"));
    let past = NOW.seconds() - 120;
    for (name, key, changes) in [
        ("RS256", &rsa, vec![]),
        ("aud: the token endpoint", &world.signer, vec![("aud", at(TOKEN))]),
        ("aud: the endpoint", &world.signer, vec![("aud", at(PAR))]),
        ("aud: an array", &world.signer, vec![("aud", json!([ISSUER]))]),
        ("aud: several", &world.signer, vec![("aud", json!([ISSUER, "https://other.example"]))]),
        ("no aud", &world.signer, vec![("aud", Value::Null)]),
        ("another iss", &world.signer, vec![("iss", json!("web"))]),
        ("another sub", &world.signer, vec![("sub", json!("web"))]),
        ("no sub", &world.signer, vec![("sub", Value::Null)]),
        ("expired", &world.signer, vec![("exp", json!(past))]),
        ("no exp", &world.signer, vec![("exp", Value::Null)]),
        ("no jti", &world.signer, vec![("jti", Value::Null)]),
        ("from the future", &world.signer, vec![("nbf", json!(NOW.seconds() + 300)), ("exp", json!(NOW.seconds() + 310))]),
    ] {
        let assertion = assertion_with(&world, key, &changes);
        let form = [request(&[]), vec![("client_assertion_type", ASSERTION), ("client_assertion", &assertion)]].concat();
        assert_eq!(browser.post(PAR, &form).await.is_error(401, "invalid_client").status, 401, "{name}");
    }
    let soon = assertion_with(&world, &world.signer, &[("iat", json!(NOW.seconds() + 8)), ("nbf", json!(NOW.seconds() + 8))]);
    let form = [request(&[]), vec![("client_assertion_type", ASSERTION), ("client_assertion", &soon)]].concat();
    assert_eq!(browser.post(PAR, &form).await.status, StatusCode::CREATED, "5.3.2.1: up to 10 seconds ahead");
}

/// `par-…`, `ensure-request-…`: what is wrong is told where it is pushed, and nothing that was not pushed counts.
#[tokio::test]
async fn what_is_pushed_is_judged_at_once_and_is_all_there_is() {
    let world = world(Profile::Fapi2Security).await;
    let mut browser = world.browser();
    let long = "x".repeat(384);
    for otherwise in [[("state", long.as_str())], [("nonce", &long)], [("nonce", "")], [("state", "")]] {
        pushed(&mut browser, &world, &otherwise).await;
    }
    for (otherwise, error) in [
        (("redirect_uri", ""), "invalid_request"),
        (("redirect_uri", "https://bank.example/cb?x=1"), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("response_type", "code id_token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("request_uri", "urn:ietf:params:oauth:request_uri:x"), "invalid_request"),
        (("scope", "openid unheard-of"), "invalid_scope"),
    ] {
        call(&mut browser, &world, PAR, &request(&[otherwise])).await.is_error(400, error);
    }
    call(&mut browser, &world, PAR, &request(&[("client_id", "web")])).await.is_error(401, "invalid_client");
    assert_eq!(browser.get(PAR).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let plain = browser.ask(&request(&[])).await;
    assert_eq!(plain.reason(), "request.not_pushed");

    let uri = pushed(&mut browser, &world, &[]).await;
    let beside = [("client_id", "signer"), ("request_uri", uri.as_str()), ("state", "other"), ("redirect_uri", "https://evil.example/")];
    let asked = browser.get(&authorize(&beside)).await;
    let page = browser.follow(&asked).await;
    let arrived = browser.log_in(&page, "alice", PASSWORD).await;
    assert_eq!((arrived.parameter("state").as_deref(), arrived.location().starts_with(CALLBACK)), (Some("s-1"), true));
    for (client, uri) in
        [("signer", uri.as_str()), ("web", &pushed(&mut browser, &world, &[]).await), ("signer", "urn:ietf:params:oauth:request_uri:x")]
    {
        let shown = browser.ask(&[("client_id", client), ("request_uri", uri)]).await;
        assert_eq!((shown.status, shown.header("location")), (StatusCode::BAD_REQUEST, ""), "{uri}");
    }
    let late = pushed(&mut browser, &world, &[]).await;
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(browser.ask(&[("client_id", "signer"), ("request_uri", &late)]).await.reason(), "request_uri.expired");
}

/// `ensure-holder-of-key-required`, `check-dpop-proof-nbf-exp`, `dpop-negative-tests`, `ensure-dpop-auth-code-binding`.
#[tokio::test]
async fn a_proof_is_whole_and_of_the_key_that_the_code_was_asked_for_with() {
    let world = world(Profile::Fapi2Security).await;
    let (mut browser, key) = (world.browser(), DpopKey::generate());
    let uri = pushed(&mut browser, &world, &[("dpop_jkt", &key.thumbprint())]).await;
    let code = authorized(&mut browser, &uri).await.code();
    call(&mut browser, &world, TOKEN, &redemption(&code)).await.is_error(400, "invalid_dpop_proof");
    proved(&mut browser, &world, &DpopKey::generate(), &redemption(&code)).await.is_error(400, "invalid_grant");

    let url = format!("{PUBLIC_URL}{TOKEN}");
    let good = || proof_claims(("POST", &url), None, None, NOW);
    let edited = |name: &str, value: Value| with(good(), &[(name, value)]);
    let header = |name: &str, value: Value| with(key.header(), &[(name, value)]);
    for (name, header, claims) in [
        ("typ", header("typ", json!("JWT")), good()),
        ("no typ", header("typ", Value::Null), good()),
        ("no jwk", header("jwk", Value::Null), good()),
        ("no jti", key.header(), edited("jti", Value::Null)),
        ("no htm", key.header(), edited("htm", Value::Null)),
        ("no htu", key.header(), edited("htu", Value::Null)),
        ("no iat", key.header(), edited("iat", Value::Null)),
        ("another method", key.header(), edited("htm", json!("GET"))),
        ("another address", key.header(), edited("htu", json!(format!("{PUBLIC_URL}{PAR}")))),
        ("exp in the past", key.header(), edited("exp", json!(NOW.seconds() - 120))),
        ("nbf in the future", key.header(), edited("nbf", json!(NOW.seconds() + 120))),
    ] {
        browser.with("dpop", &key.sign(&header, &claims));
        let answer = call(&mut browser, &world, TOKEN, &redemption(&code)).await;
        assert_eq!(answer.is_error(400, "invalid_dpop_proof").status, 400, "{name}");
    }
    assert_eq!(proved(&mut browser, &world, &key, &redemption(&code)).await.status, StatusCode::OK);
    proved(&mut browser, &world, &key, &redemption(&code)).await.is_error(400, "invalid_grant");
}

fn object(world: &World, changes: &[(&str, Value)]) -> String {
    let now = NOW.seconds();
    let mut claims = json!({ "iss": "signer", "aud": ISSUER, "exp": now + 300, "nbf": now, "iat": now, "response_mode": "jwt" });
    for (name, value) in request(&[]) {
        claims[name] = value.into();
    }
    world.signer.sign("oauth-authz-req+jwt", &with(claims, changes)).unwrap()
}

/// `fapi2-message-signing-…`: JAR, JARM, and signed introspection.
#[tokio::test]
async fn messages_are_signed_both_ways() {
    let world = world(Profile::Fapi2MessageSigning).await;
    let (mut browser, key) = (world.browser(), DpopKey::generate());
    let push =
        async |browser: &mut Browser<'_>, object: &str| call(browser, &world, PAR, &[("client_id", "signer"), ("request", object)]).await;
    let now = NOW.seconds();
    for (name, changes) in [
        ("no exp", vec![("exp", Value::Null)]),
        ("no nbf", vec![("nbf", Value::Null)]),
        ("an hour old", vec![("nbf", json!(now - 3700))]),
        ("for more than an hour", vec![("exp", json!(now + 3700))]),
        ("expired", vec![("exp", json!(now - 120))]),
        ("another aud", vec![("aud", json!("https://other.example"))]),
        ("no aud", vec![("aud", Value::Null)]),
        ("another iss", vec![("iss", json!("web"))]),
        ("nested", vec![("request_uri", json!("urn:x"))]),
    ] {
        let answer = push(&mut browser, &object(&world, &changes)).await;
        assert_eq!(answer.is_error(400, "invalid_request_object").status, 400, "{name}");
    }
    call(&mut browser, &world, PAR, &request(&[("response_mode", "jwt")])).await.is_error(400, "invalid_request");
    let several = push(&mut browser, &object(&world, &[("aud", json!([ISSUER, "https://other.example"]))])).await;
    assert_eq!(several.status, StatusCode::CREATED, "ensure-request-object-with-multiple-aud-succeeds");

    let told = |answer: &Answer| -> Value {
        let response = answer.parameter("response").unwrap_or_else(|| panic!("{}", answer.location()));
        serde_json::from_slice(&base64url::decode(response.split('.').nth(1).unwrap()).unwrap()).unwrap()
    };
    let silent = push(&mut browser, &object(&world, &[("prompt", json!("none"))])).await.text("request_uri");
    let refused = authorized(&mut browser, &silent).await;
    assert_eq!((told(&refused)["error"].as_str(), told(&refused)["state"].as_str()), (Some("login_required"), Some("s-1")));
    let arrived = authorized(&mut browser, &several.text("request_uri")).await;
    let response = told(&arrived);
    assert_eq!((&response["iss"], &response["aud"], &response["state"]), (&json!(ISSUER), &json!("signer"), &json!("s-1")));
    assert_eq!(arrived.parameter("code").or(arrived.parameter("iss")), None, "everything is inside");
    let life = response["exp"].as_i64().unwrap() - now;
    assert!((1..=600).contains(&life), "{life}");
    let tokens = proved(&mut browser, &world, &key, &redemption(response["code"].as_str().unwrap())).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);

    let introspected = call(&mut browser, &world, "/realms/main/oauth2/introspect", &[("token", &tokens.text("access_token"))]).await;
    assert_eq!(introspected.header("content-type"), "application/token-introspection+jwt");
    let claims: Value = serde_json::from_slice(&base64url::decode(introspected.body.split('.').nth(1).unwrap()).unwrap()).unwrap();
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ISSUER), &json!("signer")));
    assert_eq!(claims["token_introspection"]["active"], true);
}

/// The document says what a client of either profile looks for.
#[tokio::test]
async fn discovery_names_what_the_profiles_ask_for() {
    let world = world(Profile::Fapi2Security).await;
    let document = world.browser().call(Method::GET, "/realms/main/.well-known/openid-configuration", Body::empty()).await.json();
    for (member, value) in [
        ("token_endpoint_auth_methods_supported", "private_key_jwt"),
        ("token_endpoint_auth_signing_alg_values_supported", "PS256"),
        ("id_token_signing_alg_values_supported", "ES256"),
        ("request_object_signing_alg_values_supported", "PS256"),
        ("authorization_signing_alg_values_supported", "PS256"),
        ("introspection_signing_alg_values_supported", "PS256"),
        ("dpop_signing_alg_values_supported", "ES256"),
        ("code_challenge_methods_supported", "S256"),
        ("response_modes_supported", "jwt"),
        ("response_types_supported", "code"),
        ("grant_types_supported", "refresh_token"),
        ("subject_types_supported", "public"),
        ("scopes_supported", "openid"),
        ("claims_supported", "sub"),
    ] {
        assert!(document[member].as_array().unwrap().iter().any(|found| found == value), "{member}: {value}");
    }
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    for member in document.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint") || name.ends_with("_uri")) {
        assert!(member.1.as_str().unwrap().starts_with("https://"), "{member:?}");
    }
}
