//! OpenID Connect Discovery: whatever the document says is so. Each value of each member is tried on the surface, and its neighbour refused; a
//! member that nobody tries fails here.

use std::collections::HashMap;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, Ed25519KeyPair, RsaKeyPair};
use durward_base::base64url;
use durward_jose::{
    Algorithm, ContentEncryption, DecryptionKey, EncryptedJwt, EncryptionKey, Jwk, KeyManagement, SigningKey, UnverifiedJwt,
};
use durward_model::resource::{Client, ClientAuthentication, SubjectType};
use durward_testkit::dpop::claims as proof_claims;
use serde_json::{Value, json};

use crate::fixture::certificates::{installation, params, self_signed, signed};
use crate::fixture::{Answer, Browser, ISSUER, MUTUAL_TLS_URL, NOW, World, keys, secret_of, web_request};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

struct Walk<'w> {
    world: &'w World,
    /// Logged in as Alice.
    browser: Browser<'w>,
    /// One of each algorithm.
    keys: HashMap<&'static str, SigningKey>,
    document: Value,
}

#[tokio::test]
async fn everything_that_is_advertised_is_so_and_nothing_else() {
    let world = World::new().await;
    let mut walk = Walk::new(&world).await;
    let document = walk.document.clone();
    for (member, value) in document.as_object().unwrap() {
        let values: Vec<&str> =
            value.as_array().map(|values| values.iter().map(|value| value.as_str().unwrap()).collect()).unwrap_or_default();
        match member.as_str() {
            "issuer" => assert_eq!(value, ISSUER),
            "jwks_uri" => walk.holds_every_key(value.as_str().unwrap()).await,
            "mtls_endpoint_aliases" => walk.are_aliases(value),
            name if name.ends_with("_endpoint") => {
                assert_ne!(walk.browser.get(value.as_str().unwrap()).await.status.as_u16(), 404, "{name}")
            }
            name if value.is_boolean() => walk.is_true_or_not(name, value.as_bool().unwrap()).await,
            "scopes_supported" => walk.scopes(&values).await,
            "response_types_supported" => walk.answers_all("response_type", &values, "token").await,
            "response_modes_supported" => walk.response_modes(&values).await,
            "grant_types_supported" => walk.grant_types(&values).await,
            "subject_types_supported" => walk.subject_types(&values).await,
            "code_challenge_methods_supported" => walk.answers_all("code_challenge_method", &values, "plain").await,
            "prompt_values_supported" => walk.answers_all("prompt", &values, "create").await,
            "display_values_supported" => walk.answers_all("display", &values, "").await,
            "ui_locales_supported" => walk.answers_all("ui_locales", &values, "").await,
            "acr_values_supported" => walk.levels(&values).await,
            "claims_supported" => walk.claims(&values).await,
            "claim_types_supported" => assert_eq!(values, ["normal"]),
            "backchannel_token_delivery_modes_supported" => assert_eq!(values, ["poll", "ping"]),
            "dpop_signing_alg_values_supported" => walk.proofs(&values).await,
            "request_object_signing_alg_values_supported" => walk.request_objects(&values).await,
            "request_object_encryption_alg_values_supported" => assert_eq!(values, ["ECDH-ES"]),
            "request_object_encryption_enc_values_supported" => walk.encrypted_request_objects(&values).await,
            "backchannel_authentication_request_signing_alg_values_supported" => {
                assert_eq!(value, &document["request_object_signing_alg_values_supported"])
            }
            name if name.ends_with("_endpoint_auth_methods_supported") => walk.auth_methods(name, &values).await,
            name if name.ends_with("_endpoint_auth_signing_alg_values_supported") => walk.assertions(name, &values).await,
            name if name.ends_with("_signing_alg_values_supported") => walk.signed(name.split("_signing").next().unwrap(), &values).await,
            name if name.ends_with("_encryption_alg_values_supported") => {
                walk.encrypted(name.split("_encryption").next().unwrap(), &values).await
            }
            // With their algorithms.
            name if name.ends_with("_encryption_enc_values_supported") => {
                assert_eq!(values, ContentEncryption::ALL.map(ContentEncryption::name))
            }
            other => panic!("{other} is advertised and nobody has tried it: {value}"),
        }
    }
}

impl<'w> Walk<'w> {
    async fn new(world: &'w World) -> Self {
        let generated = |algorithm: Algorithm| (algorithm.name(), SigningKey::generate(algorithm).unwrap());
        let keys: HashMap<_, _> = Algorithm::ASYMMETRIC.map(generated).into();
        let more = ["ES384", "ES512", "EdDSA", "PS256"].map(|name| copy(&keys[name]));
        world.sign_with(&more).await;
        let mut browser = world.browser();
        browser.tokens().await;
        let document = browser.get("/realms/main/.well-known/openid-configuration").await.json();
        Self { world, browser, keys, document }
    }

    async fn change(&self, client: &str, member: &str, value: Option<&str>) {
        self.world.change_client(client, |client| set(client, member, value.map(Value::from).unwrap_or_default())).await;
    }

    /// The answer to a request of `web`, which is logged in.
    async fn ask(&mut self, otherwise: &[(&str, &str)]) -> Answer {
        self.browser.ask(&web_request(otherwise)).await
    }

    async fn redeemed(&mut self, otherwise: &[(&str, &str)]) -> Answer {
        let code = self.ask(otherwise).await.code();
        let answer = self.browser.redeem(&code, &[]).await;
        assert!(answer.status.is_success(), "{}", answer.body);
        answer
    }

    async fn holds_every_key(&mut self, uri: &str) {
        let set = self.browser.get(uri).await.json();
        let published: Vec<&str> = set["keys"].as_array().unwrap().iter().map(|key| key["alg"].as_str().unwrap()).collect();
        let signing = self.document["id_token_signing_alg_values_supported"].as_array().unwrap().iter().filter(|name| *name != "HS256");
        for name in signing.chain(self.document["request_object_encryption_alg_values_supported"].as_array().unwrap()) {
            assert!(published.contains(&name.as_str().unwrap()), "{name} has no key in {published:?}");
        }
    }

    fn are_aliases(&self, aliases: &Value) {
        for (name, alias) in aliases.as_object().unwrap() {
            let plain = self.document[name].as_str().unwrap().strip_prefix("https://auth.shop.example").unwrap();
            assert_eq!(alias.as_str().unwrap(), format!("{MUTUAL_TLS_URL}{plain}"), "{name}");
        }
    }

    async fn is_true_or_not(&mut self, name: &str, value: bool) {
        let proven = match name {
            "claims_parameter_supported" => self.ask(&[("claims", "[]")]).await.parameter("error").is_some(),
            "request_parameter_supported" => {
                self.ask(&[("request", "x")]).await.parameter("error").as_deref() == Some("invalid_request_object")
            }
            "request_uri_parameter_supported" => {
                self.ask(&[("request_uri", "https://shop.example/r")]).await.parameter("error").as_deref()
                    != Some("request_uri_not_supported")
            }
            "authorization_response_iss_parameter_supported" => self.ask(&[]).await.parameter("iss").as_deref() == Some(ISSUER),
            "tls_client_certificate_bound_access_tokens" => !self.document["mtls_endpoint_aliases"].is_null(),
            // Logouts, CIBA and client documents have tests of their own: `logout_delivery.rs`, `backchannel.rs`, `client_documents.rs`.
            name if name.contains("logout") => true,
            "backchannel_user_code_parameter_supported" | "client_id_metadata_document_supported" => false,
            other => panic!("{other} is advertised and nobody has tried it"),
        };
        assert_eq!(proven, value, "{name}");
    }

    /// Each value is answered with a code, or leads to a page; the wrong one with an error.
    async fn answers_all(&mut self, name: &str, values: &[&str], wrong: &str) {
        for value in values {
            let answer = self.ask(&[(name, value)]).await;
            assert!(
                answer.parameter("code").is_some() || answer.location().contains("?transaction="),
                "{name}={value}: {}",
                answer.location()
            );
        }
        if !wrong.is_empty() {
            assert!(self.ask(&[(name, wrong)]).await.parameter("error").is_some(), "{name}={wrong}");
        }
    }

    async fn scopes(&mut self, values: &[&str]) {
        let granted = self.redeemed(&[("scope", &values.join(" "))]).await.text("scope");
        assert_eq!(granted, values.join(" "));
        assert_eq!(self.ask(&[("scope", "openid phone")]).await.parameter("error").as_deref(), Some("invalid_scope"));
    }

    async fn response_modes(&mut self, values: &[&str]) {
        for mode in values {
            let answer = self.ask(&[("response_mode", mode)]).await;
            let parameter = if mode.contains("jwt") { "response" } else { "code" };
            let found = match mode.contains("form_post") {
                true => answer.body.contains(&format!("name=\"{parameter}\"")),
                false => answer.location().contains(&format!("{}{parameter}=", if mode.contains("fragment") { '#' } else { '?' })),
            };
            assert!(found, "{mode}: {} {}", answer.location(), answer.body);
        }
        assert!(self.ask(&[("response_mode", "web_message")]).await.parameter("error").is_some());
    }

    /// A client that is registered for all comes as far as what the grant itself asks for.
    async fn grant_types(&mut self, values: &[&str]) {
        let all: Vec<Value> = values.iter().map(|name| (*name).into()).collect();
        self.world.change_client("payments-program", |client| set(client, "grants", Value::from(all))).await;
        for name in values {
            self.browser.basic("payments-program", &secret_of("payments-program"));
            let answer = self.browser.token(&[("grant_type", name)]).await;
            let refused = if answer.status.is_success() { Value::Null } else { answer.json()["error"].clone() };
            assert!(refused.is_null() || refused == "invalid_request" || refused == "invalid_grant", "{name}: {}", answer.body);
        }
        self.browser.basic("payments-program", &secret_of("payments-program"));
        self.browser.token(&[("grant_type", "password")]).await.is_error(400, "unsupported_grant_type");
    }

    async fn subject_types(&mut self, values: &[&str]) {
        let mut subjects = Vec::new();
        for name in values {
            self.change("web", "subject_type", Some(name)).await;
            subjects.push(self.redeemed(&[]).await.claims("id_token")["sub"].clone());
        }
        self.world.change_client("web", |client| client.subject_type = SubjectType::Public).await;
        assert_ne!(subjects[0], subjects[1]);
    }

    async fn levels(&mut self, values: &[&str]) {
        assert_eq!(values, ["pwd", "mfa"]);
        assert_eq!(self.redeemed(&[("acr_values", "pwd")]).await.claims("access_token")["acr"], "pwd");
        // The way to it is tried in `second_factor.rs`.
        let essential = r#"{"id_token":{"acr":{"essential":true,"value":"mfa"}}}"#;
        let led = self.ask(&[("claims", essential)]).await;
        assert!(led.location().contains("transaction=") || led.parameter("error").as_deref() == Some("unmet_authentication_requirements"));
    }

    async fn claims(&mut self, values: &[&str]) {
        let tokens = self.redeemed(&[("scope", "openid profile email")]).await;
        let mut told = tokens.claims("id_token");
        let userinfo = self.browser.userinfo(&tokens.text("access_token")).await.json();
        told.as_object_mut().unwrap().extend(userinfo.as_object().unwrap().clone());
        let mut told: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
        let mut values = values.to_vec();
        told.sort_unstable();
        values.sort_unstable();
        assert_eq!(values, told);
    }

    async fn proofs(&mut self, values: &[&str]) {
        for name in values {
            let mut nonce = None;
            for last in [false, true] {
                let proof = proof(&self.keys[name], nonce.as_deref());
                self.browser.with("dpop", &proof).basic("payments-program", &secret_of("payments-program"));
                let answer = self.browser.token(&[("grant_type", "client_credentials")]).await;
                nonce = Some(answer.header("dpop-nonce").to_owned());
                if last {
                    assert_eq!(answer.text("token_type"), "DPoP", "{name}");
                }
            }
        }
        assert!(!values.contains(&"HS256") && !values.contains(&"none"));
    }

    /// A request object of `web`, whose key is this.
    async fn request_object(&self, key: &SigningKey) -> String {
        let jwks = json!({ "keys": [key.jwk()] });
        self.world.change_client("web", |client| client.jwks = Some(jwks)).await;
        let mut claims = json!({ "iss": "web", "aud": ISSUER });
        claims.as_object_mut().unwrap().extend(web_request(&[]).into_iter().map(|(name, value)| (name.to_owned(), value.into())));
        key.sign("oauth-authz-req+jwt", &claims).unwrap()
    }

    async fn is_read(&mut self, object: &str) {
        let answer = self.browser.ask(&[("client_id", "web"), ("request", object)]).await;
        assert!(answer.parameter("code").is_some(), "{}", answer.location());
    }

    async fn request_objects(&mut self, values: &[&str]) {
        for name in values {
            let object = self.request_object(&self.keys[name]).await;
            self.is_read(&object).await;
        }
    }

    async fn encrypted_request_objects(&mut self, values: &[&str]) {
        let set = self.browser.get("/realms/main/oauth2/jwks").await.json();
        let jwk = set["keys"].as_array().unwrap().iter().find(|key| key["use"] == "enc").unwrap().clone();
        let key = EncryptionKey::from_jwk(&Jwk::try_from(jwk).unwrap(), KeyManagement::EcdhEs).unwrap();
        for name in values {
            let object = self.request_object(&self.keys["ES256"]).await;
            self.is_read(&key.encrypt(name.parse().unwrap(), &object).unwrap()).await;
        }
    }

    /// Calls an endpoint as `signer`.
    async fn call(&mut self, endpoint: &str, form: &[(&str, &str)]) -> Answer {
        let (path, more) = match endpoint {
            "token" => ("token", ("grant_type", "client_credentials")),
            "introspection" => ("introspect", ("token", "x")),
            "revocation" => ("revoke", ("token", "x")),
            other => panic!("{other} is an endpoint that nobody calls"),
        };
        self.browser.post(&format!("/realms/main/oauth2/{path}"), &[form, &[more]].concat()).await
    }

    async fn auth_methods(&mut self, name: &str, values: &[&str]) {
        let endpoint = name.split("_endpoint").next().unwrap();
        for name in values {
            let method = ClientAuthentication::ALL.into_iter().find(|method| method.name() == *name).unwrap();
            let ((own, published), secret) = (self_signed(), secret_of("payments-program"));
            let client = if name.contains("secret") { "payments-program" } else { "signer" };
            self.world
                .change_client(client, |client| {
                    client.authentication = method;
                    client.tls_client_auth_san_dns = (*name == "tls_client_auth").then(|| "signer.shop.example".to_owned());
                    client.jwks = match *name {
                        "private_key_jwt" => Some(json!({ "keys": [self.keys["ES256"].jwk()] })),
                        "self_signed_tls_client_auth" => Some(published),
                        _ => None,
                    };
                })
                .await;
            let assertion = assertion(&self.keys["ES256"]);
            let form = match *name {
                "client_secret_post" => vec![("client_id", client), ("client_secret", secret.as_str())],
                "client_secret_basic" => {
                    self.browser.basic(client, &secret);
                    vec![]
                }
                "private_key_jwt" => vec![("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())],
                _ => vec![("client_id", client)],
            };
            self.browser.certificate = match *name {
                "tls_client_auth" => signed(&params(), installation()),
                "self_signed_tls_client_auth" => own,
                _ => None,
            };
            let answer = self.call(endpoint, &form).await;
            self.browser.certificate = None;
            // Whoever proves nothing has no token of its own.
            let refused = (*name == "none" && endpoint == "token").then_some("unauthorized_client");
            let found = if answer.status.is_success() { None } else { Some(answer.text("error")) };
            assert_eq!(found.as_deref(), refused, "{name} at {endpoint}: {}", answer.body);
        }
        self.world.change_client("payments-program", |client| client.authentication = ClientAuthentication::ClientSecretBasic).await;
    }

    async fn assertions(&mut self, name: &str, values: &[&str]) {
        let endpoint = name.split("_endpoint").next().unwrap();
        for name in values {
            let jwks = json!({ "keys": [self.keys[name].jwk()] });
            self.world
                .change_client("signer", |client| {
                    client.authentication = ClientAuthentication::PrivateKeyJwt;
                    client.tls_client_auth_san_dns = None;
                    client.jwks = Some(jwks);
                })
                .await;
            let assertion = assertion(&self.keys[name]);
            let answer = self.call(endpoint, &[("client_assertion_type", ASSERTION), ("client_assertion", &assertion)]).await;
            assert!(answer.status.is_success(), "{name} at {endpoint}: {}", answer.body);
        }
    }

    /// What a client is told in this kind of answer, as a JWT.
    async fn told(&mut self, kind: &str) -> String {
        match kind {
            "id_token" => self.redeemed(&[]).await.text("id_token"),
            "userinfo" => {
                let token = self.redeemed(&[]).await.text("access_token");
                self.browser.userinfo(&token).await.body
            }
            "authorization" => self.ask(&[("response_mode", "jwt")]).await.parameter("response").unwrap(),
            "introspection" => {
                self.browser
                    .with("accept", "application/token-introspection+jwt")
                    .basic("payments-program", &secret_of("payments-program"));
                self.browser.post("/realms/main/oauth2/introspect", &[("token", "x")]).await.body
            }
            other => panic!("{other} is a kind of answer that nobody asks for"),
        }
    }

    fn teller(kind: &str) -> &'static str {
        if kind == "introspection" { "payments-program" } else { "web" }
    }

    async fn signed(&mut self, kind: &str, values: &[&str]) {
        let member = format!("{kind}_signed_response_alg");
        for name in values.iter().filter(|name| **name != "HS256") {
            self.change(Self::teller(kind), &member, Some(name)).await;
            let text = self.told(kind).await;
            let unverified = UnverifiedJwt::parse(&text).unwrap();
            let more = self.keys.values().chain(keys()).find(|key| Some(key.kid()) == unverified.kid()).unwrap();
            assert_eq!(more.algorithm().name(), *name, "{kind}");
            unverified.verify(&more.verifying_key()).unwrap();
        }
        // A secret is what a public client has not: `protection.rs` has the one that has.
        self.change(Self::teller(kind), &member, (kind != "userinfo").then_some("ES256")).await;
    }

    async fn encrypted(&mut self, kind: &str, values: &[&str]) {
        let (client, [alg, enc]) = (Self::teller(kind), ["alg", "enc"].map(|what| format!("{kind}_encrypted_response_{what}")));
        // What is encrypted is signed first, and UserInfo is plain where nothing else is said.
        let plain = (kind == "userinfo").then(|| format!("{kind}_signed_response_alg"));
        if let Some(member) = &plain {
            self.change(client, member, Some("ES256")).await;
        }
        for name in values {
            let key = DecryptionKey::generate(name.parse().unwrap()).unwrap();
            let jwks = json!({ "keys": [key.jwk()] });
            self.world.change_client(client, |client| client.jwks = Some(jwks)).await;
            for encryption in ContentEncryption::ALL {
                self.change(client, &alg, Some(name)).await;
                self.change(client, &enc, Some(encryption.name())).await;
                let text = self.told(kind).await;
                let token = EncryptedJwt::parse(&text).unwrap();
                assert_eq!(token.encryption(), encryption, "{kind} {name}");
                UnverifiedJwt::parse(&token.decrypt(&key).unwrap()).unwrap();
            }
        }
        self.change(client, &alg, None).await;
        self.change(client, &enc, None).await;
        if let Some(member) = &plain {
            self.change(client, member, None).await;
        }
    }
}

fn copy(key: &SigningKey) -> SigningKey {
    SigningKey::from_pkcs8(key.algorithm(), key.to_pkcs8().expose()).unwrap()
}

/// Sets a member of a client by its name.
fn set(client: &mut Client, member: &str, value: Value) {
    let mut members = serde_json::to_value(&*client).unwrap();
    members[member] = value;
    *client = serde_json::from_value(members).unwrap();
}

fn assertion(key: &SigningKey) -> String {
    let jti = base64url::encode(&rand::<16>());
    let claims = json!({ "iss": "signer", "sub": "signer", "aud": ISSUER, "exp": NOW.seconds() + 60, "iat": NOW.seconds(), "jti": jti });
    key.sign("JWT", &claims).unwrap()
}

/// RFC 9449 4.2: a proof of any algorithm, at the token endpoint.
fn proof(key: &SigningKey, nonce: Option<&str>) -> String {
    let mut jwk = serde_json::to_value(key.jwk()).unwrap();
    jwk.as_object_mut().unwrap().retain(|name, _| ["kty", "crv", "x", "y", "n", "e"].contains(&name.as_str()));
    let header = json!({ "typ": "dpop+jwt", "alg": key.algorithm().name(), "jwk": jwk });
    let claims = proof_claims(("POST", &format!("{ISSUER}/oauth2/token")), nonce, None, NOW);
    let encoded = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let message = format!("{}.{}", encoded(&header), encoded(&claims));
    format!("{message}.{}", base64url::encode(&signature_of(key, message.as_bytes())))
}

fn signature_of(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let (private, random) = (key.to_pkcs8(), SystemRandom::new());
    let curve = match key.algorithm() {
        Algorithm::ES256 => Some(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::ES384 => Some(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::ES512 => Some(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
        _ => None,
    };
    if let Some(curve) = curve {
        let pair = signature::EcdsaKeyPair::from_pkcs8(curve, private.expose()).unwrap();
        return pair.sign(&random, message).unwrap().as_ref().to_vec();
    }
    if key.algorithm() == Algorithm::EdDSA {
        return Ed25519KeyPair::from_pkcs8(private.expose()).unwrap().sign(message).as_ref().to_vec();
    }
    let pair = RsaKeyPair::from_pkcs8(private.expose()).unwrap();
    let padding: &dyn signature::RsaEncoding =
        if key.algorithm() == Algorithm::PS256 { &signature::RSA_PSS_SHA256 } else { &signature::RSA_PKCS1_SHA256 };
    let mut signed = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &random, message, &mut signed).unwrap();
    signed
}

fn rand<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}
