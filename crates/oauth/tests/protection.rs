use std::sync::OnceLock;

use durward_base::{Secret, base64url};
use durward_jose::{
    Algorithm, ContentEncryption, DecryptionKey, EncryptedJwt, HmacKey, JwkSet, KeyManagement, SigningKey, UnverifiedJwt, VerifiedJwt,
};
use durward_model::resource::{Client, ClientAuthentication, Realm};
use durward_oauth::access_token::AccessToken;
use durward_oauth::client_metadata;
use durward_oauth::id_token::IdTokenHint;
use durward_oauth::introspect::{introspect, signed};
use durward_oauth::presented_token::PresentedToken;
use durward_oauth::protection::SIGNING;
use durward_oauth::userinfo::{self, Answer};
use durward_oauth::{KeyRing, Minted, OAuthError, mint};
use serde_json::json;

use crate::fixture::{ISSUER, NOW, Rows, World, alice, claims, form, granted, header, keys, portal, secret_of, web};

/// One key of each algorithm that a client may ask for.
fn ring() -> &'static (KeyRing, Vec<SigningKey>) {
    static RING: OnceLock<(KeyRing, Vec<SigningKey>)> = OnceLock::new();
    RING.get_or_init(|| {
        let made: Vec<SigningKey> = SIGNING.into_iter().map(|algorithm| SigningKey::generate(algorithm).unwrap()).collect();
        (KeyRing::new(made.iter().map(copy).collect()).unwrap(), made)
    })
}

fn copy(key: &SigningKey) -> SigningKey {
    SigningKey::from_pkcs8(key.algorithm(), key.to_pkcs8().expose()).unwrap()
}

fn key(algorithm: Algorithm) -> &'static SigningKey {
    ring().1.iter().find(|key| key.algorithm() == algorithm).unwrap()
}

/// What a client gets by refreshing, its secret having been proved; checked as the token endpoint does before it commits.
fn minted(world: &World, client: &str, rows: &Rows, ring: &KeyRing) -> Result<Minted, OAuthError> {
    let decision = world.refresh(client, rows, 0, &[], NOW).bound_to(&world.authenticated(client), "main");
    let grant = granted(decision);
    grant.mintable(ring)?;
    Ok(mint(&grant, ring, &world.handles).unwrap())
}

fn verified(token: &str, key: &SigningKey) -> VerifiedJwt {
    UnverifiedJwt::parse(token).unwrap().verify(&key.verifying_key()).unwrap()
}

fn opened(token: &str, key: &DecryptionKey) -> String {
    EncryptedJwt::parse(token).unwrap().decrypt(key).unwrap()
}

/// OpenID Connect Core 3.1.3.6.
fn at_hash(algorithm: Algorithm, access_token: &Secret) -> String {
    let hash = algorithm.digest(access_token.expose().as_bytes());
    base64url::encode(&hash[..hash.len() / 2])
}

#[test]
fn an_id_token_is_signed_in_each_algorithm_that_is_offered() {
    let mut world = World::new();
    for (algorithm, half) in SIGNING.into_iter().zip([16, 16, 24, 32, 32, 16]) {
        world.change_client("web", |client| client.id_token_signed_response_alg = Some(algorithm.to_string()));
        let tokens = minted(&world, "web", &world.rows("web"), &ring().0).unwrap();
        let id_token = verified(tokens.id_token.unwrap().expose(), key(algorithm));
        assert_eq!((id_token.kid(), id_token.typ()), (key(algorithm).kid(), Some("JWT")), "{algorithm}");
        let found = id_token.claims().str("at_hash").unwrap().unwrap();
        assert_eq!((found, base64url::decode(found).unwrap().len()), (at_hash(algorithm, &tokens.access_token).as_str(), half));
        assert_eq!(header(&tokens.access_token)["alg"], "ES256", "whatever the client's ID tokens are");
    }
}

/// OpenID Connect Core 10.1: the octets of the secret are the key.
#[test]
fn an_hs256_id_token_is_signed_with_the_secret_that_the_client_has_just_proved() {
    let mut world = World::new();
    world.change_client("portal", |client| client.id_token_signed_response_alg = Some("HS256".into()));
    let tokens = minted(&world, "portal", &world.rows("portal"), &ring().0).unwrap();
    let id_token = tokens.id_token.unwrap();
    assert_eq!(header(&id_token), json!({ "alg": "HS256", "typ": "JWT" }));
    let secret = HmacKey::new("", secret_of("portal").as_bytes()).unwrap();
    let jwt = UnverifiedJwt::parse(id_token.expose()).unwrap().verify_mac(&secret).unwrap();
    assert_eq!(jwt.claims().str("at_hash"), Ok(Some(at_hash(Algorithm::HS256, &tokens.access_token).as_str())));
    assert_eq!(IdTokenHint::verify(id_token.expose(), &world, NOW).unwrap_err().reason, "kid_unknown", "nothing is kept to verify it by");
}

/// JOSE-005: RFC 7518 section 3.2.
#[test]
fn a_secret_too_short_for_hs256_signs_nothing_and_spends_nothing() {
    let mut world = World::new();
    world.change_client("portal", |client| client.id_token_signed_response_alg = Some("HS256".into()));
    let unproved = granted(world.refresh("portal", &world.rows("portal"), 0, &[], NOW));
    assert_eq!(unproved.mintable(&ring().0).unwrap_err().reason, "response.secret_short");
    assert_eq!(mint(&unproved, &ring().0, &world.handles).unwrap_err().reason, "response.secret_short");
}

#[test]
fn a_token_waits_for_the_key_that_is_to_sign_it() {
    let mut world = World::new();
    world.change_client("web", |client| client.id_token_signed_response_alg = Some("ES384".into()));
    let error = minted(&world, "web", &world.rows("web"), &keys().ring).unwrap_err();
    assert_eq!((error.reason, error.status()), ("response.key_missing", 503));
}

#[test]
fn an_id_token_is_encrypted_to_the_clients_own_key() {
    let mut world = World::new();
    for algorithm in KeyManagement::ALL {
        let own = DecryptionKey::generate(algorithm).unwrap();
        for encryption in ContentEncryption::ALL.map(Some).into_iter().chain([None]) {
            world.change_client("web", |client| {
                client.jwks = Some(json!({ "keys": [keys().es256.jwk(), own.jwk()] }));
                client.id_token_encrypted_response_alg = Some(algorithm.to_string());
                client.id_token_encrypted_response_enc = encryption.map(|encryption| encryption.to_string());
            });
            let tokens = minted(&world, "web", &world.rows("web"), &ring().0).unwrap();
            let id_token = tokens.id_token.unwrap();
            let header = header(&id_token);
            let expected = encryption.unwrap_or(ContentEncryption::A128CbcHs256).name();
            assert_eq!((&header["alg"], &header["enc"], &header["cty"]), (&json!(algorithm), &json!(expected), &json!("JWT")));
            assert_eq!(header["kid"], own.kid());
            let jwt = verified(&opened(id_token.expose(), &own), key(Algorithm::RS256));
            assert_eq!(jwt.claims().str("aud"), Ok(Some("web")));
        }
    }
}

#[test]
fn what_is_to_be_encrypted_is_never_told_in_clear() {
    let mut world = World::new();
    let own = DecryptionKey::generate(KeyManagement::EcdhEs).unwrap();
    let rows = world.rows("web");
    let access_token = minted(&world, "web", &rows, &ring().0).unwrap().access_token;
    world.keys.extend(ring().1.iter().map(SigningKey::verifying_key));
    for (name, jwks, algorithm) in [
        ("no keys", None, "ECDH-ES"),
        ("a key for signatures", Some(json!({ "keys": [keys().es256.jwk()] })), "ECDH-ES"),
        ("a key for another algorithm", Some(json!({ "keys": [own.jwk()] })), "RSA-OAEP-256"),
        ("an algorithm of the past", Some(json!({ "keys": [own.jwk()] })), "RSA1_5"),
    ] {
        world.change_client("web", |client| {
            client.jwks = jwks;
            client.id_token_encrypted_response_alg = Some(algorithm.to_owned());
            client.userinfo_signed_response_alg = Some("ES256".to_owned());
            client.userinfo_encrypted_response_alg = Some(algorithm.to_owned());
        });
        assert!(minted(&world, "web", &rows, &ring().0).is_err(), "{name}");
        let token = userinfo::authorize(access_token.expose(), &world, NOW).unwrap();
        let info = userinfo::claims(&token, &world, Some(&alice())).unwrap();
        assert!(userinfo::answer(&info, &token, &world, &ring().0).is_err(), "{name}");
    }
}

#[test]
fn userinfo_is_answered_as_the_client_is_registered() {
    let mut world = World::new();
    world.keys.extend(ring().1.iter().map(SigningKey::verifying_key));
    let own = DecryptionKey::generate(KeyManagement::EcdhEsA128Kw).unwrap();
    let access_token = minted(&world, "web", &world.rows("web"), &ring().0).unwrap().access_token;
    let answered = |world: &World| {
        let token = userinfo::authorize(access_token.expose(), world, NOW).unwrap();
        let info = userinfo::claims(&token, world, Some(&alice())).unwrap();
        userinfo::answer(&info, &token, world, &ring().0).unwrap()
    };
    let plain = json!({ "sub": alice().sub, "name": "Alice", "preferred_username": "alice" });
    let Answer::Json(body) = answered(&world) else { panic!("plain JSON is the default") };
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap(), plain);

    for algorithm in SIGNING {
        world.change_client("web", |client| client.userinfo_signed_response_alg = Some(algorithm.to_string()));
        let Answer::Jwt(token) = answered(&world) else { panic!("signed, so a JWT") };
        let jwt = verified(&token, key(algorithm));
        assert_eq!((jwt.claims().iss(), jwt.claims().aud()), (Ok(Some(ISSUER)), Ok(vec!["web"])));
        assert_eq!(jwt.claims().str("preferred_username"), Ok(Some("alice")));
        assert!(IdTokenHint::verify(&token, &world, NOW).is_err(), "JOSE-031 {algorithm}");
        assert!(AccessToken::verify(&token, &world, NOW).is_err(), "JOSE-031 {algorithm}");
    }

    world.change_client("web", |client| {
        client.jwks = Some(json!({ "keys": [own.jwk()] }));
        client.userinfo_encrypted_response_alg = Some("ECDH-ES+A128KW".into());
        client.userinfo_encrypted_response_enc = Some("A256GCM".into());
    });
    let Answer::Jwt(token) = answered(&world) else { panic!("encrypted, so a JWT") };
    assert_eq!(verified(&opened(&token, &own), key(Algorithm::PS256)).claims().sub(), Ok(Some(alice().sub.as_str())));
}

/// RFC 9701 section 5.
#[test]
fn an_introspection_answer_is_signed_for_the_resource_server_alone() {
    let mut world = World::new();
    world.keys.extend(ring().1.iter().map(SigningKey::verifying_key));
    let own = DecryptionKey::generate(KeyManagement::RsaOaep256).unwrap();
    let rows = world.rows("web");
    let token = minted(&world, "web", &rows, &ring().0).unwrap().access_token;
    let ask = |world: &World, token: &str| {
        let client = world.authenticated("payments-program");
        let presented = PresentedToken::read(&form(&[("token", token)]), world, &world.handles, NOW).unwrap();
        let answer = introspect(world, &client, &presented, None, NOW);
        signed(&answer, world, &client, &ring().0, NOW).unwrap()
    };
    let jwt = ask(&world, token.expose());
    assert_eq!(header(&Secret::new(jwt.as_str()))["typ"], "token-introspection+jwt");
    verified(&jwt, key(Algorithm::RS256));
    let said = claims(&Secret::new(jwt.as_str()));
    assert_eq!((&said["iss"], &said["aud"], &said["iat"]), (&json!(ISSUER), &json!("payments-program"), &json!(NOW.seconds())));
    assert_eq!((&said["token_introspection"]["active"], &said["token_introspection"]["sub"]), (&json!(true), &json!(alice().sub)));
    assert!(said.get("sub").is_none() && said.get("exp").is_none(), "it must pass for no other token");
    assert!(IdTokenHint::verify(&jwt, &world, NOW).is_err() && AccessToken::verify(&jwt, &world, NOW).is_err(), "JOSE-031");

    let unknown = ask(&world, "garbage");
    assert_eq!(claims(&Secret::new(unknown))["token_introspection"], json!({ "active": false }));

    world.change_client("payments-program", |client| {
        client.jwks = Some(json!({ "keys": [own.jwk()] }));
        client.introspection_signed_response_alg = Some("EdDSA".into());
        client.introspection_encrypted_response_alg = Some("RSA-OAEP-256".into());
    });
    verified(&opened(&ask(&world, token.expose()), &own), key(Algorithm::EdDSA));
}

#[test]
fn what_a_client_may_not_ask_for_is_told_with_its_field() {
    let world = World::new();
    let own = |algorithm| Some(json!({ "keys": [DecryptionKey::generate(algorithm).unwrap().jwk()] }));
    let some = |name: &str| Some(name.to_owned());
    let with = |client: Client| Client { jwks: own(KeyManagement::EcdhEs), ..client };
    let good = [
        Client { id_token_signed_response_alg: some("HS256"), ..portal() },
        with(Client { id_token_encrypted_response_alg: some("ECDH-ES"), ..web() }),
        with(Client {
            userinfo_signed_response_alg: some("ES512"),
            userinfo_encrypted_response_alg: some("ECDH-ES"),
            userinfo_encrypted_response_enc: some("A256CBC-HS512"),
            ..portal()
        }),
        Client {
            authentication: ClientAuthentication::PrivateKeyJwt,
            jwks: Some(json!({ "keys": [DecryptionKey::generate(KeyManagement::EcdhEs).unwrap().jwk(), keys().es256.jwk()] })),
            introspection_encrypted_response_alg: some("ECDH-ES"),
            ..portal()
        },
    ];
    for client in good {
        assert_eq!(client_metadata::client(&client, &world), []);
    }
    for (client, field) in [
        (Client { id_token_signed_response_alg: some("RS384"), ..web() }, "id_token_signed_response_alg"),
        (Client { id_token_signed_response_alg: some("HS256"), ..web() }, "id_token_signed_response_alg"),
        (Client { userinfo_signed_response_alg: some("HS256"), ..portal() }, "userinfo_signed_response_alg"),
        (Client { introspection_signed_response_alg: some("none"), ..portal() }, "introspection_signed_response_alg"),
        (with(Client { id_token_encrypted_response_alg: some("RSA1_5"), ..web() }), "id_token_encrypted_response_alg"),
        (with(Client { id_token_encrypted_response_alg: some("dir"), ..web() }), "id_token_encrypted_response_alg"),
        (Client { id_token_encrypted_response_enc: some("A128GCM"), ..web() }, "id_token_encrypted_response_alg"),
        (
            with(Client { id_token_encrypted_response_alg: some("ECDH-ES"), id_token_encrypted_response_enc: some("A192GCM"), ..web() }),
            "id_token_encrypted_response_alg",
        ),
        (with(Client { userinfo_encrypted_response_alg: some("ECDH-ES"), ..web() }), "userinfo_signed_response_alg"),
        (Client { id_token_encrypted_response_alg: some("ECDH-ES"), ..web() }, "jwks"),
        (with(Client { id_token_encrypted_response_alg: some("RSA-OAEP-256"), ..web() }), "jwks"),
        (
            with(Client {
                authentication: ClientAuthentication::PrivateKeyJwt,
                id_token_encrypted_response_alg: some("ECDH-ES"),
                ..portal()
            }),
            "jwks",
        ),
    ] {
        let problems = client_metadata::client(&client, &world);
        assert!(problems.iter().any(|problem| problem.field == field), "{field}: {problems:?}");
    }
    let realm = Realm { signing_algorithms: vec!["ES384".to_owned(), "HS256".to_owned()], ..Realm::named("main") };
    assert_eq!(client_metadata::realm(&realm).iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(), ["signing_algorithms[1]"]);
}

/// Keys of others are read under limits, whatever of them is for encrypting.
#[test]
fn a_published_set_has_keys_for_both_purposes() {
    let set = json!({ "keys": [keys().es256.jwk(), DecryptionKey::generate(KeyManagement::EcdhEs).unwrap().jwk()] });
    assert_eq!(JwkSet::parse(set.to_string().as_bytes()).unwrap().keys.len(), 2);
}
