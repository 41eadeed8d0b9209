//! RFC 9449 at the token endpoint and at userinfo.

use durward_oauth::dpop::{ALGORITHMS, Freshness};
use durward_testkit::dpop::{DpopKey, claims};
use durward_testkit::seeded;
use serde_json::Value;

use crate::fixture::{Answer, Browser, NOW, PUBLIC_URL, World, secret_of, web_request as web};

const TOKEN: (&str, &str) = ("POST", "https://auth.shop.example/realms/main/oauth2/token");
const USERINFO: (&str, &str) = ("GET", "https://auth.shop.example/realms/main/oauth2/userinfo");

/// A client with a key, and the nonce it was given last.
struct Holder<'w> {
    browser: Browser<'w>,
    key: DpopKey,
    nonce: String,
}

impl<'w> Holder<'w> {
    /// Its first proof has no nonce, and gets one.
    async fn new(world: &'w World) -> Self {
        let (mut browser, key) = (world.browser(), DpopKey::generate());
        browser.with("dpop", &key.proof(TOKEN, None, None, NOW));
        browser.basic("payments-program", &secret_of("payments-program"));
        let refused = browser.token(&[("grant_type", "client_credentials")]).await;
        let nonce = refused.is_error(400, "use_dpop_nonce").header("dpop-nonce").to_owned();
        assert!(!nonce.is_empty());
        Self { browser, key, nonce }
    }

    /// A proof in the next call of the token endpoint.
    fn prove(&mut self) -> &mut Browser<'w> {
        let proof = self.key.proof(TOKEN, Some(&self.nonce), None, NOW);
        self.browser.with("dpop", &proof);
        &mut self.browser
    }

    async fn tokens(&mut self, request: &[(&str, &str)]) -> Answer {
        let code = self.browser.arrive(request, "alice").await.code();
        self.prove().redeem(&code, &[]).await
    }

    async fn program(&mut self) -> Answer {
        self.prove().basic("payments-program", &secret_of("payments-program"));
        self.browser.token(&[("grant_type", "client_credentials")]).await
    }

    async fn userinfo(&mut self, token: &str, proof: &str) -> Answer {
        self.browser.with("authorization", &format!("DPoP {token}")).with("dpop", proof);
        self.browser.get("/realms/main/oauth2/userinfo").await
    }
}

fn said(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&durward_base::base64url::decode(claims).unwrap()).unwrap()
}

#[tokio::test]
async fn what_a_holder_of_a_key_gets_is_bound_to_it_whatever_the_grant() {
    let world = World::new().await;
    let mut holder = Holder::new(&world).await;
    let program = holder.program().await;
    assert_eq!(program.text("token_type"), "DPoP", "{}", program.body);
    assert_eq!(said(&program.text("access_token"))["cnf"]["jkt"], holder.key.thumbprint());
    let tokens = holder.tokens(&web(&[])).await;
    assert_eq!(tokens.text("token_type"), "DPoP");
    let refreshed = holder.prove().refresh(&tokens.text("refresh_token"), &[]).await;
    assert_eq!(refreshed.text("token_type"), "DPoP");
    assert_eq!(said(&refreshed.text("access_token"))["cnf"]["jkt"], holder.key.thumbprint());
    holder.browser.basic("payments-program", &secret_of("payments-program"));
    let shown = holder.browser.post("/realms/main/oauth2/introspect", &[("token", &program.text("access_token"))]).await.json();
    assert_eq!((&shown["token_type"], &shown["cnf"]["jkt"]), (&"DPoP".into(), &holder.key.thumbprint().into()), "RFC 9449 section 6.2");
}

#[tokio::test]
async fn a_public_client_s_bound_refresh_token_needs_its_key_and_costs_no_write() {
    let world = World::new().await;
    let mut holder = Holder::new(&world).await;
    let token = holder.tokens(&web(&[])).await.text("refresh_token");
    let before = world.store.head().await.unwrap();
    for _ in 0..2 {
        let refreshed = holder.prove().refresh(&token, &[]).await;
        assert_eq!(refreshed.text("refresh_token"), token, "it stays the same");
    }
    assert_eq!(world.store.head().await.unwrap(), before);
    let stolen = holder.browser.refresh(&token, &[]).await;
    assert_eq!(stolen.is_error(400, "invalid_grant").reason(), "refresh_token.key_mismatch", "RT-010");
    let mut thief = Holder::new(&world).await;
    assert_eq!(thief.prove().refresh(&token, &[]).await.is_error(400, "invalid_grant").reason(), "refresh_token.key_mismatch");
    assert_eq!(holder.prove().refresh(&token, &[]).await.status, 200, "and the thief has spoilt nothing");
}

#[tokio::test]
async fn a_client_that_begins_to_prove_a_key_is_bound_to_it_from_then_on() {
    let world = World::new().await;
    let unbound = world.browser().tokens().await["refresh_token"].as_str().unwrap().to_owned();
    let mut holder = Holder::new(&world).await;
    let bound = holder.prove().refresh(&unbound, &[]).await.text("refresh_token");
    assert_eq!(holder.browser.refresh(&bound, &[]).await.is_error(400, "invalid_grant").reason(), "refresh_token.key_mismatch");
    assert_eq!(holder.prove().refresh(&bound, &[]).await.text("refresh_token"), bound);
}

#[tokio::test]
async fn a_proof_is_good_once_and_about_its_request_alone() {
    let world = World::new().await;
    let mut holder = Holder::new(&world).await;
    let (nonce, key) = (holder.nonce.clone(), DpopKey::generate());
    let proof = |what, at| key.proof(what, Some(&nonce), None, at);
    let used = proof(TOKEN, NOW);
    let mut lower = claims(TOKEN, Some(&nonce), None, NOW);
    lower["htm"] = "post".into();
    let lower = key.sign(&key.header(), &lower);
    let later = NOW + std::time::Duration::from_secs(301);
    for (id, proof, error, reason) in [
        ("a good one", used.clone(), None, ""),
        ("DPOP-001", used, Some("invalid_dpop_proof"), "dpop.replayed"),
        ("DPOP-001 of another endpoint", proof(USERINFO, NOW), Some("invalid_dpop_proof"), "dpop.method_mismatch"),
        (
            "DPOP-002",
            proof(("POST", "https://evil.example/realms/main/oauth2/token"), NOW),
            Some("invalid_dpop_proof"),
            "dpop.address_mismatch",
        ),
        ("DPOP-002", lower, Some("invalid_dpop_proof"), "dpop.method_mismatch"),
        ("DPOP-003", "x".to_owned(), Some("invalid_dpop_proof"), "dpop.malformed"),
        ("DPOP-007", proof(TOKEN, later), Some("invalid_dpop_proof"), "dpop.time"),
        ("DPOP-006", key.proof(TOKEN, None, None, NOW), Some("use_dpop_nonce"), "dpop.nonce"),
    ] {
        holder.browser.with("dpop", &proof).basic("payments-program", &secret_of("payments-program"));
        let answer = holder.browser.token(&[("grant_type", "client_credentials")]).await;
        match error {
            None => assert_eq!(answer.status, 200, "{id}: {}", answer.body),
            Some(error) => assert_eq!(answer.is_error(400, error).reason(), reason, "{id}"),
        }
    }
    holder.prove();
    let answer = holder.program().await;
    assert_eq!(answer.is_error(400, "invalid_dpop_proof").reason(), "dpop.several", "DPOP-003: two headers");
    let mut stranger = world.browser();
    stranger.with(
        "dpop",
        &key.proof(("POST", &format!("{}{}", crate::fixture::MUTUAL_TLS_URL, "/realms/main/oauth2/token")), Some(&nonce), None, NOW),
    );
    stranger.with("host", "auth.shop.example").basic("payments-program", &secret_of("payments-program"));
    assert_eq!(stranger.token(&[("grant_type", "client_credentials")]).await.status, 200, "the alias is an address of ours");
}

#[tokio::test]
async fn a_nonce_of_another_node_leads_to_one_that_is_good_everywhere_and_to_one_write() {
    let world = World::new().await;
    let mut holder = Holder::new(&world).await;
    holder.nonce = Freshness::new(&seeded(99)).nonce("main", NOW);
    holder.nonce = holder.program().await.is_error(400, "use_dpop_nonce").header("dpop-nonce").to_owned();
    let proof = holder.key.proof(TOKEN, Some(&holder.nonce), None, NOW);
    for (status, reason) in [(200, ""), (400, "dpop.replayed")] {
        holder.browser.with("dpop", &proof).basic("payments-program", &secret_of("payments-program"));
        let answer = holder.browser.token(&[("grant_type", "client_credentials")]).await;
        assert_eq!((answer.status.as_u16(), answer.reason()), (status, reason), "DPOP-001: {}", answer.body);
    }
    let token = holder.tokens(&web(&[])).await.text("access_token");
    let proof = holder.key.proof(USERINFO, Some(&holder.nonce), Some(&token), NOW);
    assert_eq!(holder.userinfo(&token, &proof).await.status, 200);
    let again = holder.userinfo(&token, &proof).await;
    assert_eq!((again.status.as_u16(), again.text("error").as_str()), (401, "invalid_dpop_proof"));
}

#[tokio::test]
async fn a_code_is_redeemed_by_the_key_that_it_was_asked_for_with() {
    // DPOP-008
    let world = World::new().await;
    let mut holder = Holder::new(&world).await;
    let jkt = holder.key.thumbprint();
    let request = web(&[("dpop_jkt", &jkt)]);
    assert_eq!(holder.tokens(&request).await.status, 200);
    let code = world.browser().arrive(&request, "alice").await.code();
    let mut thief = Holder::new(&world).await;
    assert_eq!(thief.browser.redeem(&code, &[]).await.is_error(400, "invalid_grant").reason(), "code.key_mismatch");
    assert_eq!(thief.prove().redeem(&code, &[]).await.is_error(400, "invalid_grant").reason(), "code.key_mismatch");
    assert_eq!(holder.prove().redeem(&code, &[]).await.status, 200, "and the thief has spoilt nothing");
    let malformed = world.browser().ask(&web(&[("dpop_jkt", "short")])).await;
    assert_eq!(malformed.reason(), "dpop_jkt.malformed");
}

#[tokio::test]
async fn a_client_that_is_registered_for_bound_tokens_gets_no_others() {
    let world = World::new().await;
    world.change_client("payments-program", |client| client.dpop_bound_access_tokens = true).await;
    let refused = world.browser().program_token("payments-program").await;
    assert_eq!(refused.is_error(400, "invalid_dpop_proof").reason(), "dpop.missing", "RFC 9449 section 5.2");
    let mut holder = Holder::new(&world).await;
    assert_eq!(holder.program().await.text("token_type"), "DPoP");
}

#[tokio::test]
async fn userinfo_takes_a_bound_token_with_its_proof_alone() {
    let world = World::new().await;
    let mut holder = Holder::new(&world).await;
    let token = holder.tokens(&web(&[])).await.text("access_token");
    let other = DpopKey::generate();
    let nonce = holder.nonce.clone();
    let good = holder.key.proof(USERINFO, Some(&nonce), Some(&token), NOW);
    for (id, proof, error) in [
        ("DPOP-006", holder.key.proof(USERINFO, None, Some(&token), NOW), "use_dpop_nonce"),
        ("DPOP-001", holder.key.proof(TOKEN, Some(&nonce), None, NOW), "invalid_dpop_proof"),
        ("another key", other.proof(USERINFO, Some(&nonce), Some(&token), NOW), "invalid_dpop_proof"),
        ("another token", holder.key.proof(USERINFO, Some(&nonce), Some("other"), NOW), "invalid_dpop_proof"),
        ("a good one", good.clone(), ""),
        ("DPOP-001", good, "invalid_dpop_proof"),
    ] {
        let answer = holder.userinfo(&token, &proof).await;
        if error.is_empty() {
            assert_eq!(answer.status, 200, "{id}: {}", answer.body);
            continue;
        }
        assert_eq!((answer.status.as_u16(), answer.text("error").as_str()), (401, error), "{id}");
        let challenge = format!("DPoP realm=\"main\", error=\"{error}\", algs=\"{}\"", ALGORITHMS.join(" "));
        assert_eq!(answer.header("www-authenticate"), challenge, "{id}");
        assert_eq!(answer.header("dpop-nonce").is_empty(), error != "use_dpop_nonce", "{id}");
    }
    let stolen = holder.browser.userinfo(&token).await;
    assert_eq!((stolen.status.as_u16(), stolen.reason()), (401, "token_bound"), "a bound token is no bearer token");
    assert!(stolen.header("www-authenticate").starts_with("DPoP realm=\"main\", error=\"invalid_token\", algs="));
    let bearer = world.browser().tokens().await["access_token"].as_str().unwrap().to_owned();
    let proof = holder.key.proof(USERINFO, Some(&nonce), Some(&bearer), NOW);
    assert_eq!(holder.userinfo(&bearer, &proof).await.reason(), "token_not_bound", "nor the other way round");
}

#[tokio::test]
async fn discovery_says_what_proofs_are_taken() {
    let world = World::new().await;
    let document = world.browser().get("/realms/main/.well-known/openid-configuration").await.json();
    assert_eq!(document["dpop_signing_alg_values_supported"], serde_json::json!(ALGORITHMS));
    assert!(document["token_endpoint"].as_str().unwrap().starts_with(PUBLIC_URL));
}
