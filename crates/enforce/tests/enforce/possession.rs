//! Tokens that are bound to a key: RFC 9449 section 7, RFC 8705 section 3.

use std::borrow::Cow;

use durward_enforce::{
    Circumstances, Consumer, Demand, Freshness, Possession, PresentedToken, Proved, Refusal, TokenError, decide, must_be_accepted,
};
use durward_model::resource::Requirement;
use durward_model::{BoundKey, CredentialKind};
use durward_testkit::dpop::DpopKey;
use durward_testkit::seeded;
use serde_json::json;

use crate::fixture::{NOW, World, with};

const PAYMENTS: Consumer<'_> = Consumer::entrance("main", "payments");
const ORDERS: (&str, &str) = ("POST", "https://api.shop.example/orders");

struct Holder {
    world: World,
    key: DpopKey,
    token: String,
    freshness: Freshness,
}

impl Holder {
    fn new() -> Self {
        let (world, key) = (World::new(), DpopKey::generate());
        let token = world.sign("at+jwt", &with(world.claims(), "cnf", json!({"jkt": key.thumbprint()})));
        Self { world, key, token, freshness: Freshness::new(&seeded(3)) }
    }

    fn proof(&self, what: (&str, &str)) -> String {
        self.key.proof(what, Some(&self.freshness.nonce("main", NOW)), Some(&self.token), NOW)
    }

    fn show(&self, with_proof: bool, proofs: &[&str], certificate: Option<&[u8]>) -> Result<Proved, TokenError> {
        let possession = Possession {
            method: ORDERS.0,
            addresses: vec![Cow::Borrowed(ORDERS.1)],
            proofs: proofs.iter().map(|proof| proof.as_bytes()).collect(),
            certificate,
            freshness: &self.freshness,
        };
        self.world.cache.prove(&self.world.view, &PAYMENTS, (PresentedToken { text: &self.token, with_proof }, &possession), NOW)
    }

    fn refused(&self, with_proof: bool, proofs: &[&str], certificate: Option<&[u8]>) -> (&'static str, String) {
        let refusal = Refusal::Token(self.show(with_proof, proofs, certificate).unwrap_err());
        assert_eq!(refusal.status(), 401);
        let challenge = refusal.challenge("main").unwrap();
        assert_eq!(refusal.dpop_nonce().is_some(), challenge.contains("use_dpop_nonce"));
        (refusal.reason(), challenge)
    }
}

#[test]
fn a_bound_token_is_good_with_a_proof_of_its_key_and_once() {
    let holder = Holder::new();
    let proof = holder.proof(ORDERS);
    let proved = holder.show(true, &[&proof], None).unwrap();
    let credential = &proved.verified.principal().credential;
    assert_eq!((credential.kind, &credential.bound_key), (CredentialKind::BoundToken, &Some(BoundKey::Jwk(holder.key.thumbprint()))));
    assert_eq!(proved.admitted.unwrap().spend, None, "nothing is written");
    assert_eq!(holder.refused(true, &[&proof], None).0, "dpop.replayed", "DPOP-001");
    assert!(must_be_accepted(&proved.verified, &[CredentialKind::Jwt]).is_err(), "and it is not of the kind of bearer tokens");
}

#[test]
fn a_bound_token_without_its_proof_is_refused_with_the_challenge_that_says_so() {
    let holder = Holder::new();
    let (other, nonce) = (DpopKey::generate(), holder.freshness.nonce("main", NOW));
    let of_other_key = other.proof(ORDERS, Some(&nonce), Some(&holder.token), NOW);
    let of_other_token = holder.key.proof(ORDERS, Some(&nonce), Some("other"), NOW);
    let without_nonce = holder.key.proof(ORDERS, None, Some(&holder.token), NOW);
    let elsewhere = holder.proof(("POST", "https://evil.example/orders"));
    let another = holder.proof(("GET", ORDERS.1));
    for (id, with_proof, proofs, reason, error) in [
        ("as a bearer token", false, vec![], "token_bound", "invalid_token"),
        ("as a bearer token beside a proof", false, vec![another.as_str()], "token_bound", "invalid_token"),
        ("no proof", true, vec![], "dpop.missing", "invalid_dpop_proof"),
        ("DPOP-003", true, vec![&another, &elsewhere], "dpop.several", "invalid_dpop_proof"),
        ("DPOP-002", true, vec![&another], "dpop.method_mismatch", "invalid_dpop_proof"),
        ("DPOP-002", true, vec![&elsewhere], "dpop.address_mismatch", "invalid_dpop_proof"),
        ("DPOP-006", true, vec![&without_nonce], "dpop.nonce", "use_dpop_nonce"),
        ("another key", true, vec![&of_other_key], "dpop.key_mismatch", "invalid_dpop_proof"),
        ("another token", true, vec![&of_other_token], "dpop.access_token_mismatch", "invalid_dpop_proof"),
    ] {
        let expected = format!("DPoP realm=\"main\", error=\"{error}\", algs=\"ES256 ES384 ES512 EdDSA PS256 RS256\"");
        assert_eq!(holder.refused(with_proof, &proofs, None), (reason, expected), "{id}");
    }
    let bearer = holder.world.cache.verify(&holder.world.view, &PAYMENTS, &holder.token, NOW).unwrap_err();
    assert_eq!(bearer.reason(), "token_bound", "whoever cannot read proofs takes no bound token");
}

#[test]
fn an_unbound_token_is_no_bound_one() {
    let mut holder = Holder::new();
    holder.token = holder.world.token();
    let proof = holder.proof(ORDERS);
    assert_eq!(holder.refused(true, &[&proof], None).0, "token_not_bound");
    assert!(holder.show(false, &[&proof], None).is_ok(), "a proof beside a bearer token is none");
}

#[test]
fn a_certificate_bound_token_needs_the_certificate_of_the_connection() {
    // CLI-012
    let mut holder = Holder::new();
    let cnf = json!({"x5t#S256": durward_pki::thumbprint(b"its own")});
    holder.token = holder.world.sign("at+jwt", &with(holder.world.claims(), "cnf", cnf));
    let proved = holder.show(false, &[], Some(b"its own")).unwrap();
    assert_eq!(proved.verified.principal().credential.kind, CredentialKind::BoundToken);
    let challenge = "Bearer realm=\"main\", error=\"invalid_token\"".to_owned();
    for certificate in [None, Some(&b"another"[..]), Some(&[][..])] {
        assert_eq!(holder.refused(false, &[], certificate), ("certificate_mismatch", challenge.clone()));
    }
    assert_eq!(holder.refused(true, &[], Some(b"its own")).0, "token_not_bound");
}

/// RFC 9449 7.1, RFC 9470 3: whoever came with a proof is told in the scheme of proofs what does not suffice.
#[test]
fn a_token_that_came_with_a_proof_is_challenged_in_the_scheme_of_proofs() {
    let holder = Holder::new();
    let proved = holder.show(true, &[&holder.proof(ORDERS)], None).unwrap();
    for (requirement, status, error) in [
        (json!({"acr": "mfa"}), 401, "error=\"insufficient_user_authentication\", acr_values=\"mfa\""),
        (json!({"scopes": ["orders:burn"]}), 403, "error=\"insufficient_scope\", scope=\"orders:burn\""),
    ] {
        let requirement: Requirement = serde_json::from_value(requirement).unwrap();
        let (demand, circumstances) = (Demand::Requirement(&requirement), Circumstances { now: NOW, address: None, known_browser: None });
        let denial = decide(&holder.world.view, Some(&proved.verified), &demand, circumstances, ()).unwrap_err();
        let refusal = Refusal::Denied(denial);
        let challenge = format!("DPoP realm=\"main\", {error}, algs=\"ES256 ES384 ES512 EdDSA PS256 RS256\"");
        assert_eq!((refusal.status(), refusal.challenge("main")), (status, Some(challenge)));
    }
}
